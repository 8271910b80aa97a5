/// What a reader made of one direction of a connection, in a form in which weft and llhttp can be compared.
struct ReadStream: Equatable {
    struct Message: Equatable {
        /// `POST /a`, or the status.
        let start: String
        var body: [UInt8] = []
        var isComplete = false
    }

    var messages: [Message] = []

    /// How many of its messages are whole, and end where the others begin.
    var completeCount: Int { messages.count { $0.isComplete } }
}

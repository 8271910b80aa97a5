import NIOHTTP1
import WeftProxy

/// How weft and llhttp differ over one stream.
enum Difference: Hashable {
    /// weft refused what llhttp took as a message or a part of one.
    case stricter(FramingError)
    /// weft took what llhttp refused.
    case laxer(HTTPParserError)
    /// Both took it, and disagree about what it is: never right.
    case other(String)

    init?(_ bytes: [UInt8], in pieces: [[UInt8]]) throws {
        let oracle = try ReadStream.oracle(bytes)
        self.init(ReadStream.weft(pieces), oracle)
    }

    init?(_ bytes: [UInt8], in pieces: [[UInt8]], answering methods: [RequestMethod]) throws {
        let names: [HTTPMethod] = methods.map { $0 == .head ? .HEAD : $0 == .connect ? .CONNECT : .GET }
        let oracle = try ReadStream.oracle(bytes, answering: names)
        self.init(ReadStream.weft(pieces, answering: methods), oracle)
    }

    private init?(
        _ weft: (stream: ReadStream, failure: FramingError?, isStopped: Bool),
        _ oracle: (stream: ReadStream, failure: HTTPParserError?)
    ) {
        let (ours, theirs) = (weft.stream.messages, oracle.stream.messages)
        for (index, message) in ours.enumerated() where message.isComplete {
            if index < theirs.count, theirs[index] == message { continue }
            let isRefused = index >= theirs.count || !theirs[index].isComplete
            guard isRefused, let failure = oracle.failure else {
                self = .other("message \(index): \(message), not \(theirs.dropFirst(index).first.debugDescription)")
                return
            }
            self = .laxer(failure)
            return
        }
        if weft.isStopped { return nil }
        let goesOn = oracle.stream.completeCount > weft.stream.completeCount || theirs.count > ours.count
        guard goesOn else { return nil }
        self = weft.failure.map(Difference.stricter) ?? .other("llhttp sees more: \(theirs.dropFirst(ours.count - 1))")
    }
}

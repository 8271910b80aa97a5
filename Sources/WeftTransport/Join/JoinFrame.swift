/// How a message of the join service travels inside TLS: its length, 4 bytes, big endian, and its bytes. One each way.
///
/// What the bytes mean is the identity side's matter, but for their first line: only one that hands the authority over
/// may be long, so that strangers cannot make a host hold much.
package enum JoinFrame {
    /// Most requests: a join, a renewal, a look at the other's chain.
    package static let requestBytesMax = 64 << 10
    /// A request that hands over the authority, with all the tokens and the history that it has; and any answer.
    package static let grantBytesMax = 8 << 20
    package static let answerBytesMax = 8 << 20
    /// What a long request has to begin with.
    static let grantLine = Array("weft grant 1\n".utf8)
    static let lengthBytes = 4

    /// The bytes on the wire.
    static func encode(_ message: [UInt8]) -> [UInt8] {
        let length = UInt32(clamping: message.count)
        return withUnsafeBytes(of: length.bigEndian, Array.init) + message
    }

    /// How long a request may be, by its beginning.
    static func requestBytesMax(of message: some Collection<UInt8>) -> Int {
        message.starts(with: grantLine) ? grantBytesMax : requestBytesMax
    }
}

/// Puts one message together from pieces of any size. Never holds more than has come.
struct JoinFrameReader {
    enum Kind {
        case request
        case answer
    }

    private let kind: Kind
    private var bytes: [UInt8] = []
    /// What the message says its length is, once that is known and allowed.
    private var length: Int?

    init(_ kind: Kind) { self.kind = kind }

    /// Whether this message takes more room than strangers' usually do.
    var isLong: Bool { (length ?? 0) > JoinFrame.requestBytesMax }

    /// - Returns: the message, once it is there.
    mutating func receive(_ more: some Collection<UInt8>) throws(JoinFrameError) -> [UInt8]? {
        bytes += more
        if length == nil { try readLength() }
        guard let length else { return nil }
        guard bytes.count <= length else { throw .trailing }
        return bytes.count == length ? bytes : nil
    }

    /// The length is looked at as soon as it is there; a long request's when its first line is there as well.
    private mutating func readLength() throws(JoinFrameError) {
        guard bytes.count >= JoinFrame.lengthBytes else { return }
        let stated = bytes.prefix(JoinFrame.lengthBytes).reduce(0) { $0 << 8 | Int($1) }
        let content = bytes.dropFirst(JoinFrame.lengthBytes)
        guard stated > 0 else { throw .empty }
        switch kind {
        case .answer:
            guard stated <= JoinFrame.answerBytesMax else { throw .tooLong(stated) }
        case .request where stated > JoinFrame.requestBytesMax:
            guard stated <= JoinFrame.grantBytesMax,
                JoinFrame.grantLine.starts(with: content.prefix(JoinFrame.grantLine.count))
            else { throw .tooLong(stated) }
            guard content.count >= JoinFrame.grantLine.count else { return }
        case .request: break
        }
        bytes = Array(content)
        length = stated
    }
}

/// A message that is none.
enum JoinFrameError: Error, Equatable {
    case empty
    case tooLong(Int)
    /// Bytes follow the message.
    case trailing
}

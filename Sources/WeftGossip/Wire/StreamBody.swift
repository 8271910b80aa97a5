/// The message of a stream behind its type byte, read piece by piece: a push/pull's records are decoded as they come,
/// so that neither their bytes pile up nor any byte is decoded twice.
struct StreamBody: Sendable {
    private enum State {
        /// A message that is one object.
        case object(MemberlistType, ObjectScanner)
        case pushPullHeader(ObjectScanner)
        case nodes(PushPullHeader, ObjectScanner)
        case userState(PushPullHeader)
        case userHeader(ObjectScanner)
        case user(length: Int)
    }

    private var state: State
    private var nodes: [PushNodeState] = []
    private var skippedNodes = 0

    init(type: UInt8) throws(WireError) {
        switch MemberlistType(rawValue: type) {
        case .ping: state = .object(.ping, ObjectScanner())
        case .ack: state = .object(.ack, ObjectScanner())
        case .error: state = .object(.error, ObjectScanner())
        case .pushPull: state = .pushPullHeader(ObjectScanner())
        case .user: state = .userHeader(ObjectScanner())
        default: throw .unknownType
        }
    }

    /// Goes on as far as the bytes reach; nil while they do not reach to the end.
    mutating func advance(_ buffer: inout StreamBuffer) throws(WireError) -> StreamMessage? {
        while true {
            switch state {
            case .object(let type, var scanner):
                defer { if case .object = state { state = .object(type, scanner) } }
                guard let object = try Self.takeObject(&buffer, &scanner) else { return nil }
                return try Self.decode(type, object)
            case .pushPullHeader(var scanner):
                defer { if case .pushPullHeader = state { state = .pushPullHeader(scanner) } }
                guard let object = try Self.takeObject(&buffer, &scanner) else { return nil }
                let header = try Self.decoded(.pushPull) { () throws(DecodeError) in
                    try PushPullHeader(decoding: object)
                }
                state = .nodes(header, ObjectScanner())
            case .nodes(let header, let scanner):
                guard try readNodes(header, scanner, &buffer) else { return nil }
                state = .userState(header)
            case .userState(let header):
                guard let bytes = buffer.take(header.userStateLength) else { return nil }
                return .pushPull(
                    PushPull(join: header.join, nodes: nodes, userState: Array(bytes), skippedNodes: skippedNodes)
                )
            case .userHeader(var scanner):
                defer { if case .userHeader = state { state = .userHeader(scanner) } }
                guard let object = try Self.takeObject(&buffer, &scanner) else { return nil }
                let header = try Self.decoded(.user) { () throws(DecodeError) in try UserMessageHeader(decoding: object)
                }
                state = .user(length: header.length)
            case .user(let length):
                guard let bytes = buffer.take(length) else { return nil }
                return .user(try Self.decoded(.user) { () throws(DecodeError) in try UserMessage(decoding: bytes) })
            }
        }
    }

    /// Whether all records have been read. One that makes no sense is counted and left out.
    private mutating func readNodes(
        _ header: PushPullHeader,
        _ scanner: ObjectScanner,
        _ buffer: inout StreamBuffer
    ) throws(WireError) -> Bool {
        var scanner = scanner
        while nodes.count + skippedNodes < header.nodes {
            guard let object = try Self.takeObject(&buffer, &scanner) else {
                state = .nodes(header, scanner)
                return false
            }
            do throws(DecodeError) {
                nodes.append(try PushNodeState(decoding: object))
            } catch {
                skippedNodes += 1
            }
            scanner = ObjectScanner()
        }
        return true
    }

    private static func takeObject(
        _ buffer: inout StreamBuffer,
        _ scanner: inout ObjectScanner
    ) throws(WireError) -> ArraySlice<UInt8>? {
        try buffer.takeObject(&scanner, atMost: WireLimits.streamObjectSize)
    }

    private static func decode(_ type: MemberlistType, _ object: ArraySlice<UInt8>) throws(WireError) -> StreamMessage {
        try decoded(type) { () throws(DecodeError) in
            switch type {
            case .ping: .ping(try Ping(decoding: object))
            case .ack: .ack(try Ack(decoding: object))
            default: .error(try StreamError(decoding: object))
            }
        }
    }

    private static func decoded<Value>(
        _ type: MemberlistType,
        _ decode: () throws(DecodeError) -> Value
    ) throws(WireError) -> Value {
        do throws(DecodeError) { return try decode() } catch { throw WireError(error, type: type.rawValue) }
    }
}

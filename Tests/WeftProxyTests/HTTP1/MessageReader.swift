import WeftProxy

/// Reads one direction of a connection as a shell would: bytes in as they come, messages out. The tests and the fuzzer
/// (Tests/Fuzz) share it.
struct MessageReader {
    /// What was read. Body bytes that follow each other are one event, so that pieces do not show.
    enum Event: Equatable {
        /// The bytes of a head that are forwarded.
        case head([UInt8], BodyFraming)
        case body([UInt8])
        case end
        case failed(FramingError)
        /// The input ended where a message may not.
        case truncated
    }

    private enum Scanner {
        case requests(RequestHeadScanner)
        /// For each response to come, the method of its request; GET when there are no more.
        case responses(ResponseHeadScanner, methods: [RequestMethod])
    }

    private(set) var events: [Event] = []
    /// The heads of requests, to be looked at with the bytes that were given.
    private(set) var requests: [RequestHead] = []
    private(set) var responses: [ResponseHead] = []
    private var scanner: Scanner
    private var buffer: [UInt8] = []
    private var body: BodyScanner?
    private var isOver = false

    init(answering methods: [RequestMethod]? = nil) {
        scanner = methods.map { .responses(ResponseHeadScanner(), methods: $0) } ?? .requests(RequestHeadScanner())
    }

    /// All events of a stream that comes in these pieces and then ends.
    static func events(_ pieces: [[UInt8]], answering methods: [RequestMethod]? = nil) -> [Event] {
        var reader = MessageReader(answering: methods)
        for piece in pieces { reader.receive(piece) }
        reader.end()
        return reader.events
    }

    mutating func receive(_ bytes: [UInt8]) {
        buffer += bytes
        while !isOver, body == nil ? readHead() : readBody() {}
    }

    mutating func end() {
        guard !isOver else { return }
        isOver = true
        if let body {
            events.append(body.mayEndHere ? .end : .truncated)
        } else if !buffer.isEmpty {
            events.append(.truncated)
        }
    }

    /// Whether to go on.
    private mutating func readHead() -> Bool {
        do throws(FramingError) {
            guard let (leading, length, framing) = try scanHead() else { return false }
            events.append(.head(Array(buffer[leading..<length]), framing))
            buffer.removeFirst(length)
            body = BodyScanner(framing)
            return true
        } catch {
            fail(error)
            return false
        }
    }

    private mutating func scanHead() throws(FramingError) -> (leading: Int, length: Int, framing: BodyFraming)? {
        switch scanner {
        case .requests(var heads):
            defer { scanner = .requests(heads) }
            guard let head = try heads.scan(buffer.span.bytes) else { return nil }
            requests.append(head)
            return (head.leading, head.length, head.framing)
        case .responses(var heads, var methods):
            defer { scanner = .responses(heads, methods: methods) }
            guard let head = try heads.scan(buffer.span.bytes) else { return nil }
            responses.append(head)
            let framing = try head.framing(answering: methods.first ?? .get)
            if !head.isInterim, !methods.isEmpty { methods.removeFirst() }
            return (0, head.length, framing)
        }
    }

    private mutating func readBody() -> Bool {
        guard var scanner = body else { return false }
        var offset = 0
        defer { if body != nil { body = scanner } }
        do throws(FramingError) {
            try scanner.scan(buffer.span.bytes, at: &offset)
            take(offset)
            guard scanner.isComplete else { return false }
            events.append(.end)
            body = nil
            return !buffer.isEmpty
        } catch {
            take(offset)
            fail(error)
            return false
        }
    }

    private mutating func take(_ count: Int) {
        guard count > 0 else { return }
        let taken = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        if case .body(let before) = events.last {
            events[events.count - 1] = .body(before + taken)
        } else {
            events.append(.body(taken))
        }
    }

    private mutating func fail(_ error: FramingError) {
        events.append(.failed(error))
        isOver = true
    }
}

import NIOCore
import NIOHPACK
import NIOHTTP2
import Synchronization

/// One stream as one of its ends sees it.
final class HTTP2Call: Sendable {
    struct State {
        var heads: [[String: String]] = []
        var bytes = 0
        var start: [UInt8] = []
        /// What comes is meant to be a part of the pattern, from this place on.
        var shift: Int?
        var isIntact = true
        /// Bytes of the pattern that the other end's window had room for.
        var sent = 0
        var isEnded = false
        var reset: HTTP2ErrorCode?
        /// Whether the window is opened again at once.
        var isReading = true
        var unread = 0
    }

    let id: HTTP2StreamID
    let peer: HTTP2Peer
    private let state = Mutex(State())

    init(_ id: HTTP2StreamID, on peer: HTTP2Peer) { (self.id, self.peer) = (id, peer) }

    func received(_ payload: HTTP2Frame.FramePayload) {
        switch payload {
        case .headers(let frame):
            let fields = Dictionary(frame.headers.map { ($0.name, $0.value) }) { "\($0), \($1)" }
            state.withLock {
                $0.heads.append(fields)
                if frame.endStream { $0.isEnded = true }
            }
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            take(bytes, isEnd: frame.endStream)
        case .rstStream(let code): state.withLock { $0.reset = code }
        default: break
        }
    }

    private func take(_ bytes: ByteBuffer, isEnd: Bool) {
        let credit = state.withLock { state in
            if let shift = state.shift, !Pattern.holds(bytes, at: shift + state.bytes) { state.isIntact = false }
            state.bytes += bytes.readableBytes
            if state.start.count < 1000 { state.start += bytes.readableBytesView.prefix(1000) }
            if isEnd { state.isEnded = true }
            state.unread += bytes.readableBytes
            guard state.isReading, !isEnd else { return 0 }
            defer { state.unread = 0 }
            return state.unread
        }
        if credit > 0 { peer.sendNow(id, .windowUpdate(windowSizeIncrement: credit)) }
    }

    // MARK: Reading

    /// The head with this number: 0 for the first, the last one may be trailers.
    func head(_ number: Int = 0) async throws -> [String: String] {
        try await soon("head \(number) of stream \(id)") {
            self.state.withLock { $0.heads.count > number ? $0.heads[number] : nil }
        }
    }

    /// The text up to END_STREAM.
    func text() async throws -> String {
        try await soon("end of stream \(id)") {
            self.state.withLock { $0.isEnded ? String(decoding: $0.start, as: UTF8.self) : nil }
        }
    }

    func bytes(atLeast count: Int) async throws -> Int {
        try await soon("\(count) bytes on stream \(id)") {
            self.state.withLock { $0.bytes >= count ? $0.bytes : nil }
        }
    }

    /// How many bytes of the pattern came up to END_STREAM; -1 if they were others.
    func total() async throws -> Int {
        try await soon("end of stream \(id)", within: .seconds(60)) {
            self.state.withLock { $0.isEnded ? ($0.isIntact ? $0.bytes : -1) : nil }
        }
    }

    /// From here on what comes has to be the pattern.
    func expect(from shift: Int = 0) { state.withLock { $0.shift = shift } }

    func resetCode() async throws -> HTTP2ErrorCode {
        try await soon("reset of stream \(id)") { self.state.withLock { $0.reset } }
    }

    var sent: Int { now.sent }

    var now: State { state.withLock { $0 } }

    func stopReading() { state.withLock { $0.isReading = false } }

    func readOn() {
        let credit = state.withLock { state in
            state.isReading = true
            defer { state.unread = 0 }
            return state.unread
        }
        if credit > 0 { peer.sendNow(id, .windowUpdate(windowSizeIncrement: credit)) }
    }

    // MARK: Writing

    func headers(_ fields: [(String, String)], end: Bool = false) async throws {
        try await peer.send(id, .headers(.init(headers: HPACKHeaders(fields), endStream: end)))
    }

    /// Returns when the other end's window had room.
    func data(_ bytes: [UInt8], end: Bool = false) async throws {
        try await peer.send(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: end)))
    }

    func data(_ text: String, end: Bool = false) async throws { try await data(Array(text.utf8), end: end) }

    func reset(_ code: HTTP2ErrorCode) async throws { try await peer.send(id, .rstStream(code)) }

    /// A whole response.
    func answer(_ text: String) async throws {
        try await headers([(":status", "200")])
        try await data(text, end: true)
    }

    /// The pattern in pieces of these sizes, and the end.
    func pour(_ pieces: [Int], from shift: Int = 0) async throws {
        var sent = 0
        for (index, size) in pieces.enumerated() where size > 0 || index == pieces.count - 1 {
            let bytes = Pattern.bytes(size, at: shift + sent)
            sent += size
            try await peer.send(id, .data(.init(data: .byteBuffer(bytes), endStream: index == pieces.count - 1)))
            state.withLock { $0.sent = sent }
        }
    }

    func pour(_ count: Int) async throws {
        try await pour([Int](repeating: 50_000, count: count / 50_000))
    }
}

/// Bytes that tell their place in a stream.
enum Pattern {
    private static let period = 65_521
    private static let twice = ByteBuffer(
        bytes: (0..<3 * period).map { UInt8(truncatingIfNeeded: ($0 % period) &* 2_654_435_761 >> 7) }
    )

    /// Up to two periods.
    static func bytes(_ count: Int, at offset: Int) -> ByteBuffer {
        guard let slice = twice.getSlice(at: offset % period, length: count) else { preconditionFailure("too long") }
        return slice
    }

    static func holds(_ bytes: ByteBuffer, at offset: Int) -> Bool {
        bytes == Self.bytes(bytes.readableBytes, at: offset)
    }
}

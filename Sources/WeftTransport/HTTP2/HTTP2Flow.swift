internal import NIOCore
internal import NIOHPACK

/// One direction of an exchange: what came from one side and goes on to the other.
///
/// A stream's window is opened again only when its bytes have left the other side, so that what a slow reader leaves
/// waiting is bounded by one window. Small pieces that have to wait are copied together: each would keep alive the whole
/// buffer that it came in.
struct HTTP2Flow {
    /// What is to be written next.
    enum Piece {
        case data(ByteBuffer, isEnd: Bool)
        case trailers(HPACKHeaders)
    }

    /// A piece from this size on goes on as it came.
    private static let smallMax = 1024
    /// Held bytes that go on without waiting for more.
    private static let heldMax = 16 * 1024

    /// There is somebody to write to.
    var isOpen: Bool
    /// Nobody wants it any more.
    private(set) var isDropped = false
    /// END_STREAM came.
    private(set) var isEnded = false
    /// END_STREAM was written.
    private(set) var isEndWritten = false
    private var trailers: HPACKHeaders?
    private var held = ByteBuffer()
    private var received = 0
    /// Bytes written in this try, and those of them that are on their way.
    private var written = 0
    private var left = 0
    /// Bytes that were given back to the sender's window.
    private var released = 0
    /// Of these, those that the sender has not been told of.
    private(set) var credit = 0

    init(isOpen: Bool) { self.isOpen = isOpen }

    /// Whether something waits to leave.
    var isWaiting: Bool { left < written || isHolding }

    /// Whether small pieces wait for others to leave.
    var isHolding: Bool { held.readableBytes > 0 }

    /// Whether nothing came but the end, which can go with the head.
    var isEmptyAndEnded: Bool { isEnded && received == 0 && trailers == nil }

    // MARK: What comes

    mutating func receive(_ bytes: ByteBuffer, isEnd: Bool) -> Piece? {
        let count = bytes.readableBytes
        received += count
        isEnded = isEnd
        guard !isDropped else { return nil }
        guard isOpen, held.readableBytes == 0, left == written || count >= Self.smallMax, count > 0 || isEnd else {
            held.writeImmutableBuffer(bytes)
            return next()
        }
        written += count
        isEndWritten = isEnd
        return .data(bytes, isEnd: isEnd)
    }

    /// They follow what is held: `next` gives both.
    mutating func receive(trailers fields: HPACKHeaders) {
        isEnded = true
        if !isDropped { trailers = fields }
    }

    /// What waited and may go on now; asked until there is nothing.
    mutating func next() -> Piece? {
        guard isOpen else { return nil }
        if held.readableBytes > 0 {
            guard isEnded || left == written || held.readableBytes >= Self.heldMax else { return nil }
            let bytes = held
            held = ByteBuffer()
            written += bytes.readableBytes
            isEndWritten = isEnded && trailers == nil
            return .data(bytes, isEnd: isEndWritten)
        }
        guard isEnded, !isEndWritten else { return nil }
        isEndWritten = true
        return trailers.map { .trailers($0) } ?? .data(ByteBuffer(), isEnd: true)
    }

    // MARK: Tries

    /// A new try begins, with what was written before.
    mutating func begin(resending count: Int, endsWithHead: Bool) {
        isOpen = true
        isEndWritten = endsWithHead
        written = count
        left = 0
    }

    /// The try is over; what comes waits for the next one.
    mutating func interrupt() { isOpen = false }

    // MARK: Windows

    /// Bytes are on their way; gives how many more the sender may send.
    mutating func leave(_ count: Int) -> Int {
        left += count
        return release(upTo: left)
    }

    /// Nothing goes on any more; gives what the sender's connection gets back. Also for bytes that come after it.
    mutating func drop() -> Int {
        isOpen = false
        isDropped = true
        held = ByteBuffer()
        trailers = nil
        return release(upTo: received)
    }

    /// Bytes came that count against the window without going on.
    mutating func waste(_ count: Int) { credit += count }

    /// What the sender's stream may be opened by, when that is worth a frame.
    mutating func takeCredit(from minimum: Int) -> Int? {
        guard credit >= minimum, !isEnded else { return nil }
        defer { credit = 0 }
        return credit
    }

    private mutating func release(upTo count: Int) -> Int {
        // What was sent again was given back before.
        let more = max(0, count - released)
        released += more
        credit += more
        return more
    }
}

internal import NIOCore
internal import NIOHTTP2

/// How many bytes the peer may send on the whole connection.
///
/// The window is opened again by what applications have taken, half of it at a time. What slow applications leave
/// unread counts only beyond `unreadFree`, so that they do not stop the others.
struct TunnelWindows {
    private let target: Int
    private let unreadFree: Int
    /// What the peer may still send, by the library's count.
    private var size: Int
    /// Updates that were written and have not gone out yet.
    private var unsent = 0
    /// Bytes that wait in streams.
    private var unread = 0

    init(target: Int, unreadFree: Int) {
        self.target = target
        self.unreadFree = unreadFree
        self.size = 65_535
    }

    mutating func received(_ count: Int) { unread += count }

    mutating func consumed(_ count: Int) { unread -= count }

    mutating func changed(to size: Int) { self.size = size }

    mutating func updateLeft(_ increment: Int) {
        unsent -= increment
        size += increment
    }

    /// By how much the window is to be opened now; nil if not yet.
    mutating func update() -> Int? {
        let wanted = target - max(0, unread - unreadFree)
        let increment = wanted - size - unsent
        guard increment >= target / 2 else { return nil }
        unsent += increment
        return increment
    }
}

extension TunnelConnection {
    /// The first update: from HTTP/2's 64 KiB to ours.
    func widen() {
        updateWindow()
        flush()
    }

    /// Also tells of bytes that no stream got to see: DATA that was on its way when its stream was reset.
    func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard event.streamID == .rootStream, let size = event.inboundWindowSize else { return }
        windows.changed(to: size)
        updateWindow()
    }

    private func updateWindow() {
        guard phase != .closed, let increment = windows.update() else { return }
        write(.rootStream, .windowUpdate(windowSizeIncrement: increment))
        flush()
    }

    func streamReceived(_ count: Int) { windows.received(count) }

    /// An application has taken bytes; `credit` is what its stream's window is to be opened by.
    func streamConsumed(_ count: Int, _ id: HTTP2StreamID, credit: Int?) {
        windows.consumed(count)
        if let credit, streams[id] != nil {
            write(id, .windowUpdate(windowSizeIncrement: credit))
            flush()
        }
        updateWindow()
    }
}

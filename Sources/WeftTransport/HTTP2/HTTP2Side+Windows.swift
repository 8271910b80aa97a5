internal import NIOCore
internal import NIOHTTP2

/// Flow control: as in a tunnel (`TunnelWindows`).
extension HTTP2Side {
    func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard event.streamID == .rootStream, let size = event.inboundWindowSize else { return }
        windows.changed(to: size)
        updateWindow()
    }

    func updateWindow() {
        guard let increment = windows.update() else { return }
        write(.rootStream, .windowUpdate(windowSizeIncrement: increment))
    }

    /// Bytes of a stream have left by another side.
    func consumed(_ count: Int) {
        guard count > 0, owner != nil else { return }
        windows.consumed(count)
        updateWindow()
    }

    func widen(_ id: HTTP2StreamID, by credit: Int) {
        if streams[id] != nil { write(id, .windowUpdate(windowSizeIncrement: credit)) }
    }
}

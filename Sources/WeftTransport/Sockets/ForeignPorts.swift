internal import Glibc
internal import WeftCore

/// Source ports for dials under a client's own address (capture.md section 6).
///
/// The application's end of such a dial looks like a connection of the client's. If its port were one that the client
/// uses itself for the same service, the kernel could not tell the two apart and one would break. So the ports come from
/// below the range that Linux, the BSDs and Windows take for their own dials (32768 and up); what remains are clients
/// behind an address translation that uses low ports. Each event loop has its own ports.
struct ForeignPorts {
    private static let range: Range<Int> = 1024..<32_768
    /// Ports tried for one dial. Those of the last minute's connections are taken, the ones after them are not.
    private static let attempts = 16

    private let stride: Int
    private var next: Int

    init(loopIndex: Int, loopCount: Int) {
        stride = max(1, loopCount)
        next = Self.range.lowerBound + loopIndex % stride
    }

    /// Binds transparently to `ip` and a port of this loop's that is free. False when none of those tried is.
    mutating func bind(_ socket: RawSocket, to ip: IPAddress) throws(SocketError) -> Bool {
        try socket.set(.transparent(ip.family), to: 1)
        for _ in 0..<Self.attempts {
            let port = UInt16(next)
            next += stride
            if next >= Self.range.upperBound { next = Self.range.lowerBound + (next - Self.range.lowerBound) % stride }
            do {
                try socket.bind(to: NetworkAddress(ip, port: port))
                return true
            } catch  where error.code == EADDRINUSE {
                continue
            }
        }
        return false
    }
}

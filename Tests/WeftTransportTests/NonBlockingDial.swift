import Glibc
import WeftCore
import WeftTransport

/// A connect() that is started and not waited for, to fill a listener's backlog.
final class NonBlockingDial {
    private let socket: RawSocket

    init(_ address: NetworkAddress) throws {
        socket = try RawSocket.stream(.v4)
        guard case .v4(let bits) = address.ip else { throw TestError("IPv4 only") }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = bits.bigEndian
        withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { socket.close() }
}

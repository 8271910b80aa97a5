import Glibc
import WeftCore

@testable import WeftTransport

/// A connect() that is started and not waited for, to fill a listener's backlog.
final class NonBlockingDial {
    private let socket: RawSocket

    init(_ address: NetworkAddress) throws {
        socket = try RawSocket.stream(.v4)
        let descriptor = socket.descriptor
        _ = withSocketAddress(address) { connect(descriptor, $0, $1) }
    }

    deinit { socket.close() }
}

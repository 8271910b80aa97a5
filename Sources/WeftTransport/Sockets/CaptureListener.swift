internal import Glibc
package import WeftCore

/// One of the sockets on which connections arrive, captured or through tunnels.
package struct CaptureListener: Sendable {
    /// How connections get here, and with it where their original destination is read.
    package enum Kind: String, Sendable, CaseIterable {
        /// Redirected in nat output: from processes of this host.
        case outbound
        /// By tproxy in prerouting: plaintext from other hosts.
        case inbound
        /// Dialled by other hosts: tunnels, and hosts that want to join.
        case tunnel
    }

    package let kind: Kind
    package let address: NetworkAddress
    /// Owned; goes to the event loop that accepts, and as a copy to systemd's fd store.
    package let descriptor: CInt

    /// Connections that may wait until they are accepted: enough for two seconds of a busy host while weftd restarts.
    static let backlog: CInt = 4096

    /// Takes over a listener that an earlier process left in systemd's fd store.
    package init(kind: Kind, address: NetworkAddress, adopting descriptor: CInt) {
        self.kind = kind
        self.address = address
        self.descriptor = descriptor
    }

    /// Opens the listener.
    ///
    /// Inbound listeners are transparent, so that they accept connections to addresses and ports that are not theirs.
    /// Outbound ones are not; that neighbours cannot reach the IPv6 one is the capture rules' work (`in_guard`). Binding it
    /// to the loopback device would be simpler, but then its answers find no route: IPv6 keeps the route to an own
    /// address with the device that has it.
    package init(kind: Kind, address: NetworkAddress) throws(SocketError) {
        let socket = try RawSocket.stream(address.ip.family)
        do throws(SocketError) {
            try socket.set(.reuseAddress, to: 1)
            if address.ip.family == .v6 { try socket.set(.v6Only, to: 1) }
            switch kind {
            case .inbound:
                try socket.set(.transparent(address.ip.family), to: 1)
            case .outbound:
                // The address is added to the loopback device by the capture side, which may come later.
                try socket.set(.freeBind, to: 1)
            case .tunnel: break
            }
            try socket.bind(to: address)
            try socket.listen(backlog: Self.backlog)
        } catch {
            socket.close()
            throw error
        }
        self.init(kind: kind, address: address, adopting: socket.descriptor)
    }
}

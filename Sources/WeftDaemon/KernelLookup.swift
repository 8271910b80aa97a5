internal import WeftCore
internal import WeftHost
internal import WeftTransport

/// `SocketLookup` by the kernel's own tables: conntrack for the addresses, sock_diag for the owner. One for each event
/// loop, used on it.
final class KernelLookup: SocketLookup {
    private let conntrack: Conntrack
    private let diag: SocketDiag

    init() throws {
        conntrack = try Conntrack()
        diag = try SocketDiag()
    }

    func original(listener: NetworkAddress, peer: NetworkAddress) throws -> (ClientAddress, OriginalDestination)? {
        try conntrack.original(listener: listener, peer: peer)
    }

    func owner(client: ClientAddress, destination: OriginalDestination) throws -> SocketOwner? {
        try diag.owner(client: client, destination: destination)
    }
}

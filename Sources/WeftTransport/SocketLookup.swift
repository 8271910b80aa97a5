package import WeftCore

/// The kernel's answers about one captured connection. Called on the event loop that owns the lookup; each answer takes
/// a few microseconds and must not wait for anything else.
///
/// WeftHost's implementation asks conntrack and sock_diag; tests put a table here.
package protocol SocketLookup: AnyObject {
    /// What the client's own socket says: its address and what it dialled, before the kernel's redirect.
    ///
    /// Nil when the kernel has no record of a redirect from `peer` to `listener`: somebody dialled the listener itself.
    func original(listener: NetworkAddress, peer: NetworkAddress) throws -> (ClientAddress, OriginalDestination)?

    /// Who owns the client's socket. Nil when the kernel cannot tell, which is never the same as root.
    func owner(client: ClientAddress, destination: OriginalDestination) throws -> SocketOwner?
}

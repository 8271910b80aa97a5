package import WeftCore

/// What the tunnels of the event loops ask of the control side. Called on event loops; must not block.
package struct TunnelHooks: Sendable {
    /// Has a certificate made for a caller of this host. The snapshot that holds it is published before the completion,
    /// which may come on any thread; false when there will be none.
    package var requestLeaf: @Sendable (SpiffeID, @escaping @Sendable (Bool) -> Void) -> Void
    /// A host was reached by a tunnel that no tunnel had reached before.
    package var reached: @Sendable (NodeName) -> Void
    /// A host that no tunnel had reached before was not reached this time either.
    package var unreached: @Sendable (NodeName, TunnelFailure) -> Void

    package init(
        requestLeaf: @escaping @Sendable (SpiffeID, @escaping @Sendable (Bool) -> Void) -> Void,
        reached: @escaping @Sendable (NodeName) -> Void,
        unreached: @escaping @Sendable (NodeName, TunnelFailure) -> Void
    ) {
        self.requestLeaf = requestLeaf
        self.reached = reached
        self.unreached = unreached
    }

    /// For a host without a mesh.
    package static let none = TunnelHooks(
        requestLeaf: { $1(false) },
        reached: { _ in },
        unreached: { _, _ in }
    )
}

internal import WeftCore

/// Another weft host of the pool, as far as tunnels are concerned.
struct MeshPeer: Sendable, Equatable {
    enum State: Sendable {
        case alive, failed, left
    }

    let node: NodeName
    let address: IPAddress
    let state: State
    /// The mesh that its tags name; nil for a host that has none, or that has left it for good.
    let mesh: MeshName?
    let tunnelPort: UInt16?

    var isAlive: Bool { state == .alive }
}

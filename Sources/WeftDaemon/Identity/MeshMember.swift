internal import WeftCore

/// A member of the gossip pool as the identity sees it: any agent, stock serf ones and this host itself included.
struct MeshMember: Sendable, Equatable {
    /// As gossip has it; `node` when it could be a host of weft's.
    let name: String
    let address: IPAddress
    let state: MeshPeer.State
    let isSelf: Bool
    /// Whether weft runs on it.
    let isWeft: Bool
    let tags: IdentityTags

    var node: NodeName? { isWeft ? NodeName(name) : nil }

    var isAlive: Bool { state == .alive }

    /// Where it answers tunnels and joins; nil when its tags do not say.
    var tunnelAddress: NetworkAddress? { tags.port.map { NetworkAddress(address, port: $0) } }
}

extension MeshPeer {
    /// Nil for agents that are not weft.
    init?(_ member: MeshMember) {
        guard let node = member.node else { return nil }
        self.init(
            node: node,
            address: member.address,
            state: member.state,
            mesh: member.tags.mesh,
            tunnelPort: member.tags.port
        )
    }
}

/// What the identity needs of the pool. Implemented by `MeshController`; tests put a table of members here.
protocol MeshLink: Sendable {
    /// The identity's tags, keys or mode have changed: `IdentityController.poolTerms` says to what. Returns when that is
    /// what the pool sees.
    func identityChanged() async
    /// Sends a payload of the identity's to one host, unconfirmed.
    func sendIdentity(_ payload: [UInt8], to node: NodeName) async
    /// Leaves the present pool and joins that of these hosts, with the terms of the moment.
    ///
    /// - Returns: the hosts that are alive, this one included, and why some could not be joined.
    func move(to hosts: [PeerAddress]) async throws -> PoolMove
}

/// What came of joining a pool.
struct PoolMove: Sendable, Equatable {
    let alive: Int
    /// One sentence each; empty when a host of the pool answered.
    let failures: [String]
}

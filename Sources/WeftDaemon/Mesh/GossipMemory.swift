internal import FoundationEssentials
internal import WeftCore
internal import WeftGossip
internal import WeftHost

/// What is kept of the mesh between two starts: whom to rejoin, and how far the clocks of events had come.
struct GossipMemory {
    private let path: String

    /// Room for as many peers as the core knows.
    private static let bytesMax = 8 << 20

    private struct State: Codable {
        struct Peer: Codable {
            var name: String
            var address: String
            /// Nil for one that was alive.
            var hasFailed: Bool?
        }

        var peers: [Peer]
        var memberClock: UInt64
        var eventClock: UInt64
        var queryClock: UInt64
    }

    init(stateDirectory: String) { path = stateDirectory + "/gossip-peers" }

    /// Nil when nothing was kept.
    func load() throws -> GossipSnapshot? {
        guard let bytes = try BoundedFile.read(path, limit: Self.bytesMax) else { return nil }
        let state = try JSONDecoder().decode(State.self, from: Data(bytes))
        return GossipSnapshot(
            members: state.peers.compactMap { peer in
                NetworkAddress(peer.address).map {
                    .init(name: MemberName(peer.name), address: $0, wasAlive: peer.hasFailed != true)
                }
            },
            memberClock: LamportTime(state.memberClock),
            eventClock: LamportTime(state.eventClock),
            queryClock: LamportTime(state.queryClock)
        )
    }

    func save(_ snapshot: GossipSnapshot) throws {
        let state = State(
            peers: snapshot.members.map {
                .init(name: $0.name.description, address: $0.address.description, hasFailed: $0.wasAlive ? nil : true)
            },
            memberClock: snapshot.memberClock.value,
            eventClock: snapshot.eventClock.value,
            queryClock: snapshot.queryClock.value
        )
        try AtomicFile.write(Array(try JSONEncoder().encode(state)), to: path, mode: 0o600)
    }
}

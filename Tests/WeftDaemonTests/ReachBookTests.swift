import Logging
import Synchronization
import Testing
import WeftAPI
import WeftCatalog
import WeftCore
import WeftTransport

@testable import WeftDaemon

/// The hosts that tunnels reached: found out, kept, and forgotten only when they say so.
@Suite struct ReachBookTests {
    /// Stands for the data plane.
    private final class Plane: Sendable {
        private struct State {
            var nodes = TunnelNodes()
            var failure: TunnelFailure?
            var probes = 0
            var closed: [IPAddress] = []
        }

        private let state = Mutex(State())

        var nodes: TunnelNodes { state.withLock { $0.nodes } }
        var probes: Int { state.withLock { $0.probes } }
        var closed: [IPAddress] { state.withLock { $0.closed } }

        func fail(_ failure: TunnelFailure?) { state.withLock { $0.failure = failure } }

        var actions: ReachBook.Actions {
            ReachBook.Actions(
                publish: { nodes in self.state.withLock { $0.nodes = nodes } },
                probe: { _, _ in
                    self.state.withLock { state in
                        state.probes += 1
                        return state.failure
                    }
                },
                closeTunnels: { ip in self.state.withLock { $0.closed.append(ip) } }
            )
        }
    }

    private let folder: TemporaryFolder
    private let plane = Plane()
    private let prod: MeshName
    private let db: NodeName
    private let ip = IPAddress.v4(0x0a00_000c)

    init() throws {
        folder = try TemporaryFolder()
        prod = try #require(MeshName("prod"))
        db = try #require(NodeName("db-1"))
    }

    private func book() async -> ReachBook {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let book = ReachBook(stateDirectory: folder.path, logger: logger, actions: plane.actions)
        await book.start()
        await book.adopt(mesh: prod)
        return book
    }

    private func peer(_ state: MeshPeer.State = .alive, mesh: MeshName?, at address: IPAddress? = nil) -> MeshPeer {
        MeshPeer(node: db, address: address ?? ip, state: state, mesh: mesh, tunnelPort: 15_008)
    }

    /// Waits until the loops would see the host so.
    private func expect(_ reach: TunnelNodes.Reach?) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while plane.nodes.nodes[db]?.reach != reach {
            try #require(ContinuousClock.now < deadline, "not \(String(describing: reach)) after 10 s")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test("A host is tried as soon as it is known, and remembered over restarts")
    func remembered() async throws {
        await book().adopt([peer(mesh: prod)])
        try await expect(.reached)
        plane.fail(.lost)
        _ = await book()
        try await expect(.reached)
    }

    @Test("A host that cannot be reached is a problem that names the port")
    func closed() async throws {
        plane.fail(.unreachable(.connectTimeout))
        let book = await book()
        await book.adopt([peer(mesh: prod)])
        try await expect(.closed)
        let problem = try #require(await book.problems(isStrict: false).first)
        #expect(problem.code == "tunnel-closed")
        #expect(problem.severity == .warning)
        #expect(problem.text.contains("db-1") && problem.text.contains("15008"))
        #expect(await book.problems(isStrict: true).first?.severity == .error)
        await book.reached(db)
        try await expect(.reached)
        #expect(await book.problems(isStrict: false).isEmpty)
        // Never back again.
        await book.unreached(db, .lost)
        try await expect(.reached)
    }

    @Test("Hosts of other meshes are not tried")
    func others() async throws {
        let book = await book()
        await book.adopt([peer(mesh: MeshName("other"))])
        try await expect(.unknown)
        #expect(plane.probes == 0)
        #expect(plane.nodes.nodes[db]?.mesh == MeshName("other"))
        #expect(await book.tunnelPort(of: db) == nil)
    }

    @Test("A host that fails or restarts stays guarded; one that leaves the mesh does not")
    func leaving() async throws {
        let book = await book()
        await book.adopt([peer(mesh: prod)])
        try await expect(.reached)
        for state in [MeshPeer.State.failed, .left] {
            await book.adopt([peer(state, mesh: prod)])
            try await expect(.reached)
        }
        await book.adopt([])
        try await expect(.reached)
        await book.adopt([peer(.left, mesh: nil)])
        try await expect(.unknown)
    }

    @Test("Tunnels to an address end when its host lives elsewhere")
    func readdressed() async throws {
        let book = await book()
        await book.adopt([peer(mesh: prod)])
        await book.adopt([peer(mesh: prod, at: .v4(0x0a00_000d))])
        #expect(plane.closed == [ip])
    }

    @Test("Another mesh begins with nobody reached")
    func anotherMesh() async throws {
        let book = await book()
        await book.adopt([peer(mesh: prod)])
        try await expect(.reached)
        await book.adopt(mesh: try #require(MeshName("other")))
        try await expect(.unknown)
    }

    @Test("Services of a reached host are guarded where they were known last")
    func guarded() async throws {
        let book = await book()
        await book.adopt([peer(mesh: prod)])
        try await expect(.reached)
        let api = try #require(ServiceName("api"))
        let endpoint = try #require(Endpoint(service: api, node: db, port: 8080, addresses: [ip]))
        var builder = MeshBuilder()
        var change = CatalogueChange()
        change.added = [endpoint]
        builder.apply(change)
        await book.adopt(builder.build().snapshot)
        let expected = [NetworkAddress(ip, port: 8080): GuardedEndpoint(node: db, service: api, tenant: .system)]
        try await expectGuarded(expected)
        // A host that has failed takes its services out of the catalogue, and not out of the book.
        await book.adopt([peer(.failed, mesh: prod)])
        await book.adopt(MeshSnapshot())
        _ = await self.book()
        try await expectGuarded(expected)
    }

    private func expectGuarded(_ expected: [NetworkAddress: GuardedEndpoint]) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while plane.nodes.guarded != expected {
            try #require(ContinuousClock.now < deadline, "guarded: \(plane.nodes.guarded)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test("A damaged file is a warning, not the end")
    func damaged() async throws {
        try folder.write("{", to: "reached")
        await book().adopt([peer(mesh: prod)])
        try await expect(.reached)
    }
}

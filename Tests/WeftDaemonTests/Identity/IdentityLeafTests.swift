import Synchronization
import Testing
import WeftCatalog
import WeftConfig
import WeftCore
import WeftIdentity

@testable import WeftDaemon

/// Certificates of workloads: there when they are needed, renewed in time, gone with the workload.
@Suite struct IdentityLeafTests {
    private static func identity(_ service: String, on host: TestHost, tenant: String = "system") throws -> SpiffeID {
        SpiffeID(
            mesh: try #require(host.snapshot?.mesh),
            tenant: try #require(TenantName(tenant)),
            service: try #require(ServiceName(service))
        )
    }

    private static func request(_ identity: SpiffeID, of host: TestHost) async -> Bool {
        await withCheckedContinuation { continuation in
            host.controller.requestLeaf(identity) { continuation.resume(returning: $0) }
        }
    }

    @Test func eachServiceOfTheHostHasOne() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        await host.controller.adopt(
            MeshSnapshot(localServices: [try localService("api"), try localService("db", tenant: "shop")])
        )
        let names = try #require(host.snapshot?.certificates.map { "\($0.identity.namespace)/\($0.identity.account)" })
        #expect(names == ["shop/db", "system/api", "weft/web-1"])
        let count = host.published.count
        await host.controller.adopt(
            MeshSnapshot(localServices: [try localService("db", tenant: "shop"), try localService("api")])
        )
        #expect(host.published.count == count, "nothing has changed")
        await host.controller.adopt(MeshSnapshot(localServices: [try localService("api")]))
        #expect(try host.snapshot?.holds(Self.identity("db", on: host, tenant: "shop")) == false)
        await world.stop()
    }

    @Test func whoCallsGetsOneBeforeItIsTold() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        let worker = try Self.identity("worker", on: host)
        #expect(await Self.request(worker, of: host))
        #expect(host.snapshot?.holds(worker) == true)
        // Of another mesh, or of another host: not this host's to give.
        let foreign = SpiffeID(mesh: try #require(MeshName("other")), node: try #require(NodeName("a")))
        #expect(await !Self.request(foreign, of: host))
        let stranger = SpiffeID(mesh: try #require(host.snapshot?.mesh), node: try #require(NodeName("web-2")))
        #expect(await !Self.request(stranger, of: host))
        // Nobody has asked for an hour.
        world.advance(.seconds(3601))
        await host.controller.wake()
        #expect(host.snapshot?.holds(worker) == false)
        await world.stop()
    }

    @Test func aThousandWishesAreOneCertificate() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        let worker = try Self.identity("worker", on: host)
        let before = host.published.count
        let answers = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<1000 { group.addTask { await Self.request(worker, of: host) } }
            return await group.reduce(into: [Bool: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(answers == [true: 1000])
        #expect(host.published.count == before + 1)
        await world.stop()
    }

    @Test func wishesAreBounded() {
        let pending = PendingLeaves()
        let (mesh, tenant) = (MeshName("prod"), TenantName.system)
        var outcomes: [PendingLeaves.Entry] = []
        for number in 0..<300 {
            guard let mesh, let service = ServiceName("s\(number)") else { continue }
            outcomes.append(pending.add(SpiffeID(mesh: mesh, tenant: tenant, service: service)) { _ in })
        }
        #expect(outcomes.first == .first && outcomes.filter { $0 == .refused }.count == 300 - 256)
        #expect(pending.take().count == 256)
        #expect(pending.take().isEmpty)
    }

    @Test func aHostSpeaksOnlyForWhatItsTokenAllows() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        try await second.join(world.token(of: first, allow: ["web", "shop/api"]))
        #expect(await Self.request(try Self.identity("web", on: second), of: second))
        #expect(await Self.request(try Self.identity("api", on: second, tenant: "shop"), of: second))
        #expect(await !Self.request(try Self.identity("api", on: second), of: second))
        await world.stop()
    }

    /// Whoever holds the authority is away for ten lives of a leaf: nothing happens.
    @Test func leavesAreRenewedWithoutAnybody() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2") { $0.identity.leafLifetime = .seconds(20) }
        await hosts[1].controller.adopt(MeshSnapshot(localServices: [try localService("api")]))
        hosts[0].setUp(false)
        let api = try Self.identity("api", on: hosts[1])
        var serials: Set<CertificateSerial> = []
        for _ in 0..<200 {
            await world.pass(seconds: 1)
            let leaf = try #require(hosts[1].snapshot?.certificates.first { $0.identity == api })
            #expect(leaf.validity.contains(world.now))
            serials.insert(leaf.leaf.serial)
        }
        #expect((15...40).contains(serials.count), "\(serials.count)")
        await world.stop()
    }
}

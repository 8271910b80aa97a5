import Testing
import WeftAPI
import WeftConfig
import WeftCore
import WeftIdentity

@testable import WeftDaemon

/// The root's rotation and the authority on several hosts.
@Suite struct IdentityRotationTests {
    private static func rotate(_ host: TestHost, force: Bool = false, cancel: Bool = false) async throws -> CAStatus {
        try await host.controller.rotate(CARotateRequest(force: force, cancel: cancel))
    }

    /// Whether each of these hosts believes each other one.
    private static func believe(_ hosts: [TestHost], _ world: TestWorld) throws -> Bool {
        for left in hosts {
            for right in hosts {
                let shown = try #require(left.shown)
                do {
                    _ = try right.snapshot?.verifier.verify(shown, as: .server, now: world.now)
                } catch {
                    Issue.record("\(right.name) refuses \(left.name): \(error)")
                    return false
                }
            }
        }
        return true
    }

    @Test func aRotationGoesThroughByItself() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3")
        let old = try #require(hosts[0].snapshot?.verifier.bundle.roots.first)
        #expect(try await Self.rotate(hosts[0]).rotation == .prepared)
        for _ in 0..<40 {
            await world.pass(seconds: 1)
            guard try Self.believe(hosts, world) else { break }
        }
        let status = try await hosts[0].controller.caStatus()
        #expect(status.rotation == nil && status.roots.count == 1 && status.roots != [old.fingerprint.description])
        for host in hosts {
            #expect(host.snapshot?.verifier.bundle.roots.map(\.fingerprint.description) == status.roots)
        }
        #expect(try Self.believe(hosts, world))
        await world.stop()
    }

    @Test func aRotationWaitsForHostsThatAreAliveUntilItIsForced() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        // Alive to the pool, and deaf.
        hosts[1].enter("elsewhere")
        let deaf = MeshMember(
            name: "web-2",
            address: hosts[1].address,
            state: .alive,
            isSelf: false,
            isWeft: true,
            tags: hosts[1].tags
        )
        world.add(stranger: deaf)
        await world.refresh()
        #expect(try await Self.rotate(hosts[0]).waitingFor == ["web-2"])
        await world.pass(seconds: 20)
        #expect(try await hosts[0].controller.caStatus().rotation == .prepared)
        #expect(try await Self.rotate(hosts[0], cancel: true).rotation == nil)
        #expect(try await hosts[0].controller.caStatus().roots.count == 1)
        #expect(try await Self.rotate(hosts[0]).rotation == .prepared)
        #expect(try await Self.rotate(hosts[0], force: true).rotation == .switched)
        #expect(await refusal { _ = try await Self.rotate(hosts[0], cancel: true) }?.code == "wrong-step")
        #expect(try await Self.rotate(hosts[0], force: true).rotation == nil)
        // Who slept through it all catches up by the crossing.
        world.removeStrangers()
        hosts[1].enter(hosts[0].pool)
        await world.pass(seconds: 30)
        #expect(hosts[1].snapshot?.verifier.bundle.version == hosts[0].snapshot?.verifier.bundle.version)
        // Its certificate hung on a root that nobody trusts any more, and the authority remembers it.
        #expect(await hosts[1].controller.problems() == [])
        #expect(try Self.believe(hosts, world))
        await world.stop()
    }

    /// As above, and past the end of its certificate too; and the authority that is there now is another host's.
    @Test func aHostThatSleptThroughEverythingRecovers() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3") { $0.identity.intermediateLifetime = .seconds(60) }
        _ = try await hosts[0].controller.grantAuthority(NodeRequestBody(node: "web-2"))
        await world.settle()
        world.remove(hosts[2])
        _ = try await Self.rotate(hosts[0])
        await world.pass(seconds: 100)
        #expect(try await hosts[1].controller.caStatus().isHolder)
        hosts[0].setUp(false)
        await world.refresh()
        let back = try await world.host("web-3", 3, files: hosts[2].files) {
            $0.identity.intermediateLifetime = .seconds(60)
        }
        back.enter(hosts[1].pool)
        await world.pass(seconds: 20)
        #expect(try Self.believe([hosts[1], back], world))
        #expect(await back.controller.problems() == [])
        await world.stop()
    }

    /// Who has an old root's key can make certificates, and none that the authority remembers.
    @Test func whoTheAuthorityDoesNotRememberNeedsAToken() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        let text = try await hosts[0].controller.exportAuthority()
        world.remove(hosts[1])
        await world.refresh()
        _ = try await Self.rotate(hosts[0])
        await world.pass(seconds: 60)
        #expect(try await hosts[0].controller.caStatus().rotation == nil)
        // The old root's key, on a host of its own.
        let thief = try await world.host("web-2", 2, files: hosts[1].files)
        _ = try await thief.controller.importAuthority(text)
        let other = try await world.host("web-3", 3)
        thief.enter("theirs")
        other.enter("theirs")
        try await other.join(world.token(of: thief))
        thief.setUp(false)
        other.enter(hosts[0].pool)
        await world.pass(seconds: 30)
        #expect(await other.controller.problems().map(\.code) == ["certificate-outdated"])
        try await other.join(world.token(of: hosts[0]))
        #expect(await other.controller.problems() == [])
        await world.stop()
    }

    @Test func aGrantedHostIsAsGoodAsTheFirst() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3")
        #expect(try await hosts[0].controller.grantAuthority(NodeRequestBody(node: "web-2")).isHolder)
        await world.settle()
        #expect(try await hosts[2].controller.caStatus().holders == ["web-1", "web-2"])
        #expect(
            await refusal { _ = try await hosts[0].controller.grantAuthority(NodeRequestBody(node: "x")) }?.code
                == "unknown-host"
        )
        hosts[0].setUp(false)
        await world.refresh()
        let fourth = try await world.host("web-4", 4)
        try await fourth.join(world.token(of: hosts[1]))
        #expect(try Self.believe([hosts[1], hosts[2], fourth], world))
        await world.stop()
    }

    @Test func otherHoldersFollowARotation() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3")
        _ = try await hosts[0].controller.grantAuthority(NodeRequestBody(node: "web-2"))
        await world.settle()
        _ = try await Self.rotate(hosts[0])
        for _ in 0..<60 {
            await world.pass(seconds: 1)
            guard try Self.believe(hosts, world) else { break }
        }
        let status = try await hosts[1].controller.caStatus()
        #expect(status.isHolder && status.rotation == nil && status.roots.count == 1)
        #expect(world.exchanges.contains("web-2 weft authority 1 web-1"))
        let fourth = try await world.host("web-4", 4)
        try await fourth.join(world.token(of: hosts[1]))
        #expect(try Self.believe(hosts + [fourth], world))
        await world.stop()
    }

    @Test func revocationsOfTwoHoldersAreBothKept() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3", "web-4")
        _ = try await hosts[0].controller.grantAuthority(NodeRequestBody(node: "web-2"))
        await world.settle()
        // While they do not hear each other.
        let pool = hosts[1].pool
        hosts[1].enter("elsewhere")
        await world.refresh()
        _ = try await hosts[0].controller.revoke(NodeRequestBody(node: "web-3"))
        _ = try await hosts[1].controller.revoke(NodeRequestBody(node: "web-4"))
        hosts[1].enter(pool)
        await world.pass(seconds: 20)
        for host in hosts {
            let bundle = try #require(host.snapshot?.verifier.bundle)
            #expect(bundle.revokedNodes.keys.map(\.text).sorted() == ["web-3", "web-4"], "\(host.name)")
        }
        #expect(Set(hosts.map(\.tags.trust?.digits)).count == 1)
        await world.stop()
    }

    @Test func theAuthorityGoesOfflineAndComesBack() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        let text = try await hosts[0].controller.exportAuthority()
        #expect(await refusal { _ = try await hosts[1].controller.exportAuthority() }?.code == "not-holder")
        #expect(try await hosts[1].controller.importAuthority(text).isHolder)
        #expect(
            await refusal { _ = try await hosts[1].controller.importAuthority(CAKeyText(pem: "x")) }?.code
                == "bad-authority"
        )
        // Another authority becomes the next root, on a holder.
        let other = try await world.host("ca-1", 9)
        _ = try await other.controller.up(UpRequest(name: #require(hosts[0].snapshot?.mesh.text)))
        let foreign = try await other.controller.exportAuthority()
        let third = try await world.host("web-3", 3)
        try await third.join(world.token(of: hosts[0]))
        #expect(await refusal { _ = try await third.controller.importAuthority(foreign) }?.code == "not-holder")
        world.remove(other)
        await other.controller.stop()
        #expect(try await hosts[0].controller.importAuthority(foreign).rotation != nil)
        await world.pass(seconds: 60)
        let status = try await hosts[0].controller.caStatus()
        #expect(
            status.rotation == nil
                && status.roots == other.snapshot?.verifier.bundle.roots.map(\.fingerprint.description)
        )
        #expect(try Self.believe(hosts + [third], world))
        other.controller.executor.stop()
        await world.stop()
    }
}

import Testing
import WeftAPI
import WeftConfig
import WeftCore
import WeftIdentity

@testable import WeftDaemon

/// The host's own certificate: renewed here or by a host that holds the authority, also after its end.
@Suite struct IdentityRenewalTests {
    private static func short(_ configuration: inout Configuration) {
        configuration.identity.intermediateLifetime = .seconds(60)
        configuration.identity.leafLifetime = .seconds(20)
    }

    private static func end(of host: TestHost) async throws -> WallTime {
        let rows = try await host.controller.certificates(ofMesh: false)
        let left = try #require(rows.first { $0.kind == .intermediate }).leftSeconds
        return host.now.advanced(by: .milliseconds(Int64(left * 1000)))
    }

    @Test func bothKindsOfHostsRenewInTime() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", configure: Self.short)
        for _ in 0..<200 {
            await world.pass(seconds: 1)
            for host in hosts {
                #expect(try await Self.end(of: host) > world.now)
                #expect(host.shown.map { !$0.isEmpty } ?? false)
            }
        }
        let report = await hosts[1].controller.report()
        #expect((4...10).contains(report.outcomes["renewed-own", default: 0]), "\(report.outcomes)")
        #expect(await hosts[0].controller.report().outcomes["renewal-granted"] == report.outcomes["renewed-own"])
        #expect(await hosts[1].controller.problems() == [])
        await world.stop()
    }

    @Test func aHostThatWasAwayPastItsEndRecovers() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", configure: Self.short)
        world.remove(hosts[1])
        await world.pass(seconds: 3600, step: 20)
        let back = try await world.host("web-2", 2, files: hosts[1].files, configure: Self.short)
        back.enter(hosts[0].pool)
        #expect(back.snapshot == nil)
        #expect(await back.controller.problems().map(\.code) == ["certificate-expired"])
        // Gossip may not know of a holder yet; where there was one is kept.
        await world.pass(seconds: 5)
        #expect(try await Self.end(of: back) > world.now)
        #expect(back.snapshot != nil)
        #expect(await back.controller.problems() == [])
        await world.stop()
    }

    @Test func aHolderThatIsAwayIsAskedAgainAndAgain() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", configure: Self.short)
        hosts[0].setOpen(false)
        await world.pass(seconds: 50)
        #expect(await hosts[1].controller.report().outcomes["renewal-failed", default: 0] > 3)
        hosts[0].setOpen(true)
        await world.pass(seconds: 200, step: 2)
        #expect(try await Self.end(of: hosts[1]) > world.now)
        await world.stop()
    }

    @Test func aProblemTellsOfWhatDoesNotGetBetter() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2") { $0.identity.intermediateLifetime = .seconds(7200) }
        hosts[0].setOpen(false)
        await world.pass(seconds: 5400, step: 5)
        let told = await hosts[1].controller.problems()
        #expect(told.map(\.code) == ["certificate-not-renewed"])
        #expect(told.first?.text.contains("TCP 15008") ?? false, "\(told)")
        await world.stop()
    }

    @Test func aHostPastTheGraceNeedsAToken() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", configure: Self.short)
        world.remove(hosts[1])
        for _ in 0..<31 {
            world.advance(.seconds(86_400))
            await hosts[0].controller.wake()
        }
        let back = try await world.host("web-2", 2, files: hosts[1].files, configure: Self.short)
        await world.pass(seconds: 3)
        let told = try #require(await back.controller.problems().first { $0.code == "certificate-expired" })
        #expect(told.next == "sudo weft join TOKEN")
        try await back.join(world.token(of: hosts[0]))
        #expect(await back.controller.problems() == [])
        await world.stop()
    }

    @Test func aRevokedHostIsRefusedEverywhereAndMayComeBack() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2", "web-3", configure: Self.short)
        let shown = try #require(hosts[2].shown)
        let status = try await hosts[0].controller.revoke(NodeRequestBody(node: "web-3"))
        #expect(status.revoked == ["web-3"] && status.version == 2)
        try await world.eventually("all know") {
            hosts.allSatisfy { $0.snapshot?.verifier.bundle.version == 2 }
        }
        for host in hosts {
            #expect(throws: PeerRefusal.self) {
                _ = try host.snapshot?.verifier.verify(shown, as: .server, now: world.now)
            }
        }
        await world.pass(seconds: 60)
        #expect(await hosts[2].controller.problems().map(\.code) == ["host-revoked"])
        #expect(await hosts[0].controller.report().outcomes["renewal-revoked", default: 0] > 0)
        try await hosts[2].join(world.token(of: hosts[0]))
        #expect(await hosts[2].controller.problems() == [])
        let again = try #require(hosts[2].shown)
        #expect(try hosts[1].snapshot?.verifier.verify(again, as: .server, now: world.now) != nil)
        #expect(
            await refusal { _ = try await hosts[0].controller.revoke(NodeRequestBody(node: "web-1")) }?.code
                == "own-host"
        )
        #expect(
            await refusal { _ = try await hosts[1].controller.revoke(NodeRequestBody(node: "web-3")) }?.code
                == "not-holder"
        )
        await world.stop()
    }
}

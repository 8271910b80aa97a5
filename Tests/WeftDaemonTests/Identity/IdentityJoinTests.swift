import Testing
import WeftAPI
import WeftConfig
import WeftCore
import WeftIdentity
import WeftTransport

@testable import WeftDaemon

/// Founding a mesh, joining one, and everything that may be in the way.
@Suite struct IdentityJoinTests {
    @Test func theFirstStartFoundsAMeshAndTheNextOnesKeepIt() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let mesh = try #require(first.snapshot?.mesh)
        #expect(mesh.text.hasPrefix("mesh-") && mesh.text.utf8.count == 13)
        #expect(first.snapshot?.host.description == "spiffe://\(mesh)/ns/weft/sa/web-1")
        world.remove(first)
        let again = try await world.host("web-1", 1, files: first.files)
        #expect(again.snapshot?.mesh == mesh)
        #expect(again.snapshot?.verifier.bundle.roots == first.snapshot?.verifier.bundle.roots)
        #expect(await again.controller.problems() == [])
        await world.stop()
    }

    @Test func upNamesAMeshOfOneAndDoesNothingTwice() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        #expect(try await host.controller.up(UpRequest(name: "prod")).isNew)
        #expect(host.snapshot?.mesh.text == "prod")
        #expect(try await host.controller.up(UpRequest(name: "prod")).isNew == false)
        #expect(
            try await host.controller.up(UpRequest(name: nil)) == UpResponse(mesh: "prod", node: "web-1", isNew: false)
        )
        #expect(await refusal { _ = try await host.controller.up(UpRequest(name: "No good")) }?.code == "bad-mesh-name")
        await world.stop()
    }

    @Test func aTokenMakesAHostOneOfTheMesh() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let token = try await world.token(of: first)
        let answer = try await second.join(token)
        let mesh = try #require(first.snapshot?.mesh)
        #expect(answer.mesh == mesh.text && answer.node == "web-2" && answer.peersAlive == 2)
        #expect(answer.warnings == [])
        #expect(answer.reach.count == 6 && answer.reach.allSatisfy(\.isOpen))
        #expect(second.snapshot?.host.description == "spiffe://\(mesh)/ns/weft/sa/web-2")
        #expect(second.pool == first.pool)

        // Each believes the other.
        for (left, right) in [(first, second), (second, first)] {
            let shown = try #require(left.shown)
            let peer = try #require(try right.snapshot?.verifier.verify(shown, as: .server, now: world.now))
            #expect(peer.node?.text == left.name)
        }
        let rows = try await first.controller.tokens()
        #expect(rows.map(\.used) == [1])
        // The gossip key came along.
        let keys = [await first.controller.poolTerms().keys, await second.controller.poolTerms().keys]
        #expect(keys[0] == keys[1] && keys[0].first?.count == 32)
        await world.stop()
    }

    @Test func aTokenLetsInAsManyHostsAsItSays() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let token = try await world.token(of: first, uses: 2)
        for number in 2...3 { try await world.host("web-\(number)", UInt32(number)).join(token) }
        let late = try await world.host("web-4", 4)
        let mesh = late.snapshot?.mesh
        #expect(await refusal { try await late.join(token) }?.code == "exhausted-token")
        #expect(late.snapshot?.mesh == mesh)
        #expect(await first.controller.report().outcomes["join-exhausted-token"] == 1)
        await world.stop()
    }

    @Test func whatIsWrongWithATokenIsSaid() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let token = try await world.token(of: first)
        #expect(await refusal { try await second.join(String(token.dropLast(9))) }?.code == "truncated-token")
        #expect(await refusal { try await second.join("weft1_!!") }?.code == "malformed-token")
        let gone = try await first.controller.withdrawToken(TokenWithdrawRequest(id: first.controller.tokens()[0].id))
        #expect(gone == [])
        #expect(await refusal { try await second.join(token) }?.code == "unknown-token")
        let short = try await world.token(of: first, seconds: 60)
        world.advance(.seconds(61))
        #expect(await refusal { try await second.join(short) }?.code == "expired-token")
        await world.stop()
    }

    @Test func aHostBehindAFirewallIsToldWhichLineIsMissing() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let token = try await world.token(of: first)
        first.setOpen(false)
        let told = try #require(await refusal { try await second.join(token) })
        #expect(told.code == "mesh-unreachable")
        #expect(told.text.contains("TCP 15008") && told.next.contains("tcp dport 15008 accept"))
        // The other way round it joins, and is told as well.
        first.setOpen(true)
        second.setOpen(false)
        let answer = try await second.join(token)
        let closed = answer.reach.filter { !$0.isOpen }
        #expect(closed.map(\.to) == ["web-2"] && closed.map(\.port) == [15_008])
        #expect(closed.first?.next?.contains("ip saddr 10.0.0.1 tcp dport 15008 accept") ?? false)
        await world.stop()
    }

    @Test(arguments: [-3 * 3600, 30 * 3600])
    func aClockThatIsHoursOffIsNamed(_ seconds: Int) async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let token = try await world.token(of: first, seconds: 40 * 3600)
        second.setClock(.seconds(seconds))
        let told = try #require(await refusal { try await second.join(token) })
        #expect(told.code == "clock-off" && told.next == "timedatectl", "\(told)")
        #expect(told.text.contains(seconds < 0 ? "behind" : "ahead of"))
        await world.stop()
    }

    @Test func aClockThatIsMinutesOffIsAWarning() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        second.setClock(.seconds(-600))
        let answer = try await second.join(world.token(of: first))
        #expect(answer.warnings.count == 1 && answer.warnings[0].contains("10 min behind"))
        await world.stop()
    }

    @Test func anAnswerThatGetsLostCostsNoUse() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let token = try await world.token(of: first)
        world.loseAnswers(1)
        #expect(await refusal { try await second.join(token) }?.code == "mesh-unreachable")
        // Even after a restart it asks with the same key.
        world.remove(second)
        let again = try await world.host("web-2", 2, files: second.files)
        try await again.join(token)
        #expect(again.snapshot?.mesh == first.snapshot?.mesh)
        #expect(try await first.controller.tokens().map(\.used) == [1])
        await world.stop()
    }

    @Test func aLiveHostsNameIsTaken() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        let token = try await world.token(of: hosts[0], uses: 5)
        // The same name on another machine, while the first is alive: one of a kind.
        let twin = try TestHost("web-2", 9, files: TestFiles(), configuration: Configuration(), world: world)
        await twin.controller.start()
        #expect(await refusal { try await twin.join(token) }?.code == "name-taken")
        // The host itself comes again.
        try await hosts[1].join(token)
        // Nobody takes the name of the host that answers.
        let other = try TestHost("web-1", 8, files: TestFiles(), configuration: Configuration(), world: world)
        await other.controller.start()
        #expect(await refusal { try await other.join(token) }?.code == "name-taken")
        // When it is gone, the name is free.
        hosts[1].setUp(false)
        await world.refresh()
        try await twin.join(token)
        for host in [twin, other] {
            await host.controller.stop()
            host.controller.executor.stop()
        }
        await world.stop()
    }

    @Test func aLargerMeshIsNotLeftWithoutForce() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        let other = try await world.host("db-1", 9)
        let token = try await world.token(of: other)
        let told = try #require(await refusal { try await hosts[1].join(token) })
        #expect(told.code == "mesh-not-alone" && told.text.contains("web-1") && told.next.contains("--force"))
        try await hosts[1].join(token, force: true)
        #expect(hosts[1].snapshot?.mesh == other.snapshot?.mesh)
        #expect(await refusal { _ = try await hosts[0].controller.up(UpRequest(name: "x")) } == nil)
        await world.stop()
    }

    @Test func aFullDiskLeavesTheOldIdentity() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let second = try await world.host("web-2", 2)
        let mesh = second.snapshot?.mesh
        second.files.setFull(true)
        let token = try await world.token(of: first)
        let told = try #require(await refusal { try await second.join(token) })
        #expect(told.code == "identity-failed" && told.text.contains("No space left"))
        #expect(second.snapshot?.mesh == mesh)
        #expect(await second.controller.problems().map(\.code) == ["identity-not-kept"])
        // A holder whose disk is full lets nobody in: a use that is not kept might be used twice.
        second.files.setFull(false)
        first.files.setFull(true)
        #expect(await refusal { try await second.join(token) }?.code == "failed")
        first.files.setFull(false)
        try await second.join(token)
        #expect(await second.controller.problems() == [])
        await world.stop()
    }

    @Test func anIdentityThatCannotBeReadIsAProblemAndNoReasonToStop() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let path = "/var/lib/weft/identity/state"
        first.files.damage(path)
        world.remove(first)
        let again = try await world.host("web-1", 1, files: first.files)
        #expect(again.snapshot == nil)
        #expect(await again.controller.problems().map(\.code) == ["identity-unreadable"])
        #expect(
            await refusal {
                _ = try await again.controller.makeToken(.init(validSeconds: 1, uses: 1, allow: nil, addresses: []))
            }?.code == "identity-unreadable"
        )
        // Nothing overwrites it until somebody has moved it away.
        #expect(
            await refusal { _ = try await again.controller.up(UpRequest(name: nil)) }?.code == "identity-unreadable"
        )
        #expect(again.files.files[path]?.content == Array("rubbish".utf8))
        again.files.remove(path)
        await again.controller.wake()
        #expect(again.snapshot != nil)
        await world.stop()
    }

    @Test func aHolderThatWasRenamedSignsForItsNewName() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        world.remove(hosts[0])
        let renamed = try await world.host("web-9", 1, files: hosts[0].files)
        #expect(renamed.snapshot?.host.node?.text == "web-9")
        #expect(renamed.snapshot?.mesh == hosts[1].snapshot?.mesh)
        // Another host needs a token for it.
        world.remove(hosts[1])
        let other = try await world.host("web-8", 2, files: hosts[1].files)
        #expect(await other.controller.problems().map(\.code) == ["host-renamed"])
        try await other.join(world.token(of: renamed))
        #expect(other.snapshot?.host.node?.text == "web-8")
        #expect(await other.controller.problems() == [])
        await world.stop()
    }
}

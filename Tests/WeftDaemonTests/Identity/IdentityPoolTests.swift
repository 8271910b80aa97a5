import Testing
import WeftAPI
import WeftConfig
import WeftCore
import WeftIdentity

@testable import WeftDaemon

/// The gossip key's way, tags, and what travels beside certificates.
@Suite struct IdentityPoolTests {
    private static func modes(_ hosts: [TestHost]) async -> [PoolMode] {
        var modes: [PoolMode] = []
        for host in hosts { modes.append(await host.controller.poolTerms().mode) }
        return modes
    }

    @Test func aPoolBecomesEncryptedStepByStep() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        await world.pass(seconds: 10)
        #expect(await Self.modes([first]) == [.have], "a host alone waits for others, who may have no key")
        let second = try await world.host("web-2", 2)
        try await second.join(world.token(of: first))
        var seen: [[PoolMode]] = []
        for _ in 0..<12 {
            let modes = await Self.modes([first, second])
            if seen.last != modes { seen.append(modes) }
            // Nobody is ahead by more than one step.
            #expect(abs(Int(modes[0].rawValue) - Int(modes[1].rawValue)) <= 1)
            await world.pass(seconds: 1)
        }
        #expect(seen.last == [.only, .only], "\(seen)")
        // It stays so: over restarts, and for who comes later.
        world.remove(second)
        let again = try await world.host("web-2", 2, files: second.files)
        let third = try await world.host("web-3", 3)
        try await third.join(world.token(of: first))
        #expect(await Self.modes([again, third]) == [.only, .only])
        await world.stop()
    }

    @Test func amongHostsWithoutTheKeyAllIsInClear() async throws {
        let world = TestWorld()
        world.add(
            stranger: MeshMember(
                name: "old-1",
                address: .v4(0x0a00_0063),
                state: .alive,
                isSelf: false,
                isWeft: false,
                tags: IdentityTags()
            )
        )
        let hosts = try await world.mesh("web-1", "web-2")
        await world.pass(seconds: 20)
        #expect(await Self.modes(hosts) == [.have, .have])
        let told = await hosts[0].controller.problems()
        #expect(told.map(\.code) == ["gossip-in-clear"] && told[0].text.contains("old-1"))
        world.removeStrangers()
        await world.pass(seconds: 12)
        #expect(await Self.modes(hosts) == [.only, .only])
        #expect(await hosts[0].controller.problems() == [])
        await world.stop()
    }

    @Test func hostsOfOtherMeshesInThePoolAreAProblem() async throws {
        let world = TestWorld()
        let (first, second) = (try await world.host("web-1", 1), try await world.host("web-2", 2))
        second.enter(first.pool)
        await world.refresh()
        let told = await first.controller.problems()
        #expect(told.map(\.code).sorted() == ["gossip-in-clear", "other-mesh"])
        #expect(told.first { $0.code == "other-mesh" }?.next == "sudo weft join TOKEN on web-2")
        await world.stop()
    }

    @Test func aKeyFileOverridesTheMeshesKey() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1) { $0.gossip.keyFile = "/etc/weft/gossip.key" }
        let key = [UInt8](repeating: 7, count: 16)
        await first.controller.poolKeysRead([key])
        #expect(await first.controller.poolTerms().keys == [])
        #expect(await first.controller.poolTerms().tags["weft-key"]?.hasSuffix(":only") == true)
        // Who joins gets the key that the pool speaks.
        let second = try await world.host("web-2", 2)
        try await second.join(world.token(of: first))
        let terms = await second.controller.poolTerms()
        #expect(terms.keys == [key] && terms.mode == .only)
        #expect(terms.tags["weft-key"] == (await first.controller.poolTerms().tags["weft-key"]))
        await world.stop()
    }

    @Test func changedKeysAreKept() async throws {
        let world = TestWorld()
        let first = try await world.host("web-1", 1)
        let keys = [[UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 16)]
        try await first.controller.poolKeysChanged(keys)
        world.remove(first)
        let again = try await world.host("web-1", 1, files: first.files)
        #expect(await again.controller.poolTerms().keys == keys)
        #expect("\(await again.controller.poolTerms())" == "PoolTerms(2 keys, redacted, have)")
        await world.stop()
    }

    // MARK: Texts

    @Test func tagsAreReadAsTheyAreWritten() async throws {
        let world = TestWorld()
        let host = try await world.host(String(repeating: "h", count: 128), 1)
        _ = try await host.controller.up(UpRequest(name: String(repeating: "m", count: 63)))
        let texts = await host.controller.poolTerms().tags
        #expect(texts.keys.sorted() == ["weft-ca", "weft-cert", "weft-key", "weft-mesh", "weft-port", "weft-trust"])
        #expect(IdentityTags { texts[$0] }.texts == texts)
        let bytes = texts.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 4 }
        #expect(bytes < 400, "with weft's other tags they have to fit in 512 bytes")
        await world.stop()
    }

    @Test(arguments: [
        "weft-mesh=Not A Name", "weft-port=0", "weft-port=99999", "weft-trust=1", "weft-trust=1.ABCDEF01",
        "weft-trust=-1.abcdef01", "weft-trust=1.abcdef0", "weft-cert=99999999999999.abcdef01", "weft-ca=yes",
        "weft-key=abcdef01", "weft-key=abcdef01:maybe", "weft-key=:have",
    ])
    func rubbishInTagsIsAsIfItWereNotThere(_ text: String) {
        let parts = text.split(separator: "=").map(String.init)
        #expect(IdentityTags { $0 == parts[0] ? parts[1] : nil } == IdentityTags())
    }

    @Test func messagesAreReadAsTheyAreWritten() {
        for answers in [ReachAnswers(), ReachAnswers(tunnel: true, gossipStream: false, gossipDatagram: nil)] {
            #expect(ReachMessage.answers(in: ReachMessage.answer(answers)) == answers)
        }
        let ports = ReachMessage.ports(in: ReachMessage.question(tunnelPort: 15_008, gossipPort: 1))
        #expect(ports?.tunnel == 15_008 && ports?.gossip == 1)
        #expect(ReachMessage.ports(in: ReachMessage.question(tunnelPort: 0, gossipPort: 1)) == nil)
        for payload in [TrustPayload.question, .bundle([]), .bundle([1, 2])] {
            #expect(TrustPayload(payload.bytes) == payload)
        }
        for bytes: [UInt8] in [[], [2], [1, 1], [2, 1, 0], [2, 3]] { #expect(TrustPayload(bytes) == nil) }
        #expect(IdentityText.refusal(in: IdentityText.refused("no")) == "no")
        #expect(IdentityText.refusal(in: IdentityText.done) == nil)
    }

    @Test func rubbishAtTheJoinServiceIsAnsweredOrNot() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        let peer = NetworkAddress(.v4(0x0a00_0009), port: 1)
        #expect(await host.controller.serve([], from: peer) == [])
        #expect(await host.controller.serve(Array("GET / HTTP/1.1\r\n".utf8), from: peer) == [])
        for line in ["weft join 1\n", "weft renewal 1\n", "weft grant 1\n", "weft authority 1\n"] {
            for tail in [0, 1, 100, 5000] {
                let bytes = Array(line.utf8) + [UInt8](repeating: 0xff, count: tail)
                #expect(await !host.controller.serve(bytes, from: peer).isEmpty)
            }
        }
        #expect(await host.controller.serve(Array("weft hello 1\n".utf8), from: peer) == IdentityText.done)
        let question = ReachMessage.question(tunnelPort: 15_008, gossipPort: 7946)
        #expect(ReachMessage.answers(in: await host.controller.serve(question, from: peer)) != nil)
        #expect(IdentityText.refusal(in: await host.controller.serve(question, from: peer)) == "asked too often")
        await host.controller.trustReceived([2, 2, 9, 9], from: host.controller.name)
        await host.controller.trustReceived([2], from: host.controller.name)
        #expect(await host.controller.report().outcomes["bundle-refused"] == 1)
        await world.stop()
    }

    @Test func steadinessForgetsWhatWasInterrupted() {
        var steady = Steadiness(span: .seconds(2))
        let start = WallTime(millisecondsSince1970: 10_000)
        var isSteady = steady.note(true, now: start)
        #expect(!isSteady && steady.due == start.advanced(by: .seconds(2)))
        isSteady = steady.note(false, now: start.advanced(by: .seconds(1)))
        #expect(!isSteady && steady.due == nil)
        isSteady = steady.note(true, now: start.advanced(by: .seconds(2)))
        #expect(!isSteady)
        isSteady = steady.note(true, now: start.advanced(by: .seconds(4)))
        #expect(isSteady)
        // A clock that is set back.
        isSteady = steady.note(true, now: start.advanced(by: .seconds(1000)))
        #expect(!isSteady)
        isSteady = steady.note(true, now: start)
        #expect(!isSteady)
        isSteady = steady.note(true, now: start.advanced(by: .seconds(2)))
        #expect(isSteady)
    }
}

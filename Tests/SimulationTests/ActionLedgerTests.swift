import Testing
import WeftCore
import WeftTestKit

@testable import WeftGossip

/// The ledger refuses what a core may not do: one that never complains checks nothing.
@Suite struct ActionLedgerTests {
    private static let now = Instant(nanoseconds: 10_000_000_000)

    private static func member(_ name: MemberName) throws -> Member {
        var random = SeededRandom(seed: 1)
        var actions: [GossipAction] = []
        let address = NetworkAddress(simulatedHost: name.simulatedHost)
        var node = try GossipNode(GossipConfiguration(name: name, advertise: address))
        node.start(now: now, using: &random, into: &actions)
        return try #require(node.member(named: name))
    }

    private static func change(_ kind: MemberChange.Kind) throws -> GossipAction {
        .memberChanged(MemberChange(kind: kind, member: try member("n1")))
    }

    /// What a core does one after the other, and whether the last of it is legal.
    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kinds: [MemberChange.Kind]
        let isLegal: Bool
    }

    @Test(arguments: [
        Story(testDescription: "joins", kinds: [.joined], isLegal: true),
        Story(testDescription: "joins twice", kinds: [.joined, .joined], isLegal: false),
        Story(testDescription: "fails unseen", kinds: [.failed], isLegal: false),
        Story(testDescription: "fails and returns", kinds: [.joined, .failed, .joined], isLegal: true),
        Story(testDescription: "fails, then has left", kinds: [.joined, .failed, .left], isLegal: true),
        Story(testDescription: "fails after having left", kinds: [.joined, .left, .failed], isLegal: false),
        Story(testDescription: "changes when gone", kinds: [.joined, .left, .updated], isLegal: false),
        Story(testDescription: "is forgotten while present", kinds: [.joined, .reaped], isLegal: false),
    ])
    func membersMayOnlyDoWhatMembersDo(_ story: Story) throws {
        var ledger = ActionLedger(own: "n0")
        for kind in story.kinds.dropLast() { #expect(ledger.check(try Self.change(kind), at: Self.now) == nil) }
        let last = try #require(story.kinds.last)
        #expect((ledger.check(try Self.change(last), at: Self.now) == nil) == story.isLegal)
    }

    @Test func datagramsHaveALimit() {
        var ledger = ActionLedger(own: "n0")
        let peer = NetworkAddress(simulatedHost: 1)
        #expect(ledger.check(.send([UInt8](repeating: 1, count: 1405), to: peer), at: Self.now) == nil)
        #expect(ledger.check(.send([UInt8](repeating: 1, count: 1406), to: peer), at: Self.now) != nil)
        #expect(ledger.check(.send([], to: peer), at: Self.now) != nil)
    }

    @Test func streamsAreAnsweredOnceAndOnlyWhileOpen() {
        var ledger = ActionLedger(own: "n0")
        let stream = StreamID(number: 4)
        #expect(ledger.check(.reply(stream, [1]), at: Self.now) != nil)
        ledger.accepted(stream, at: Self.now)
        #expect(ledger.check(.reply(stream, [1]), at: Self.now) == nil)
        #expect(ledger.check(.reply(stream, [1]), at: Self.now) != nil)
        #expect(ledger.overdueStreams(at: Self.now + .seconds(31), limit: .seconds(30)) == 1)
        #expect(ledger.check(.closeStream(stream), at: Self.now) == nil)
        #expect(ledger.overdueStreams(at: Self.now + .seconds(31), limit: .seconds(30)) == 0)
    }

    @Test func nothingIsSentAfterHavingLeft() {
        var ledger = ActionLedger(own: "n0")
        #expect(ledger.check(.left, at: Self.now) == nil)
        #expect(ledger.check(.wake(at: Self.now), at: Self.now) != nil)
    }

    @Test func anEventIsDeliveredOnce() {
        var ledger = ActionLedger(own: "n0")
        let event = UserEvent(name: "e", payload: [1], time: 3, coalesce: false, isOwn: false)
        #expect(ledger.check(.userEvent(event), at: Self.now) == nil)
        #expect(ledger.check(.userEvent(event), at: Self.now) != nil)
    }
}

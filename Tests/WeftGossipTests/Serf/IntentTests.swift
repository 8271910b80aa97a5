import Testing
import WeftCore

@testable import WeftGossip

/// The table of section 8.4, input by input, on one node.
@Suite("Intents and member status")
struct IntentTests {
    private let network = TestNetwork()

    init() throws {
        try network.add()
        network.inject([.alive(alive("m", 1))], into: 0)
    }

    private func alive(_ name: MemberName, _ incarnation: Incarnation) -> Alive {
        Alive(
            incarnation: incarnation,
            node: name,
            address: MemberAddress(TestNetwork.address(60)),
            meta: [],
            versions: .serf
        )
    }

    private func join(_ time: UInt64, _ name: MemberName = "m") {
        network.inject([.user(UserMessage(.join(JoinIntent(time: LamportTime(time), node: name))))], into: 0)
    }

    private func leave(_ time: UInt64, _ name: MemberName = "m", prune: Bool = false) {
        let intent = LeaveIntent(time: LamportTime(time), node: name, prune: prune)
        network.inject([.user(UserMessage(.leave(intent)))], into: 0)
    }

    private func die(_ incarnation: Incarnation = 1, from: MemberName = "x") {
        network.inject([.dead(Dead(incarnation: incarnation, node: "m", from: from))], into: 0)
    }

    private var state: Member.State? { network.state("m", on: 0) }
    private var queued: Int { network.hosts[0].node.gauges.queuedIntents }

    @Test func deathWithoutIntentIsAFailure() {
        die()
        #expect(state == .failed)
    }

    /// Section 8.6: the memberlist "left" state is not consulted.
    @Test func ownDeathNoticeWithoutIntentIsAFailureToo() {
        die(from: "m")
        #expect(state == .failed)
    }

    @Test func deathAfterALeaveIntentIsALeave() {
        leave(5)
        #expect(state == .leaving)
        die(from: "m")
        #expect(state == .left)
    }

    @Test func leaveIntentAboutAFailedMemberMakesItLeft() {
        die()
        leave(5)
        #expect(state == .left)
        #expect(network.changes(on: 0, about: "m") == [.joined, .failed, .left])
    }

    @Test func newerJoinIntentUndoesLeaving() {
        leave(5)
        join(5)
        #expect(state == .leaving)
        join(6)
        #expect(state == .alive)
        #expect(network.changes(on: 0, about: "m") == [.joined, .availability, .availability])
    }

    @Test func onlyNewerIntentsArePassedOn() {
        let before = queued
        join(5)
        join(5)
        leave(5)
        join(3)
        #expect(queued == before + 1)
        leave(6)
        leave(6)
        #expect(queued == before + 2)
        leave(7)
        #expect(queued == before + 3 && state == .leaving)
    }

    @Test func intentsAboutUnknownMembersAreKept() {
        leave(9, "later")
        join(8, "later")
        network.inject([.alive(alive("later", 1))], into: 0)
        #expect(network.state("later", on: 0) == .leaving)
    }

    @Test func intentsAboutUnknownMembersAreForgottenAfterMinutes() {
        leave(9, "later")
        network.advance(.seconds(330))
        network.inject([.alive(alive("later", 1))], into: 0)
        #expect(network.state("later", on: 0) == .alive)
    }

    @Test func pruningForgetsAFailedMemberAtOnce() {
        die()
        leave(5, prune: true)
        #expect(state == nil)
        network.inject([.alive(alive("m", 2))], into: 0)
        #expect(state == .alive)
    }

    @Test func pruningALeavingMemberWaits() {
        leave(5, prune: true)
        #expect(state == .leaving)
        network.advance(.seconds(5))
        #expect(state != nil)
        network.advance(.seconds(2))
        #expect(state == nil)
    }

    @Test func clockMovesPastEveryIntent() {
        join(41)
        #expect(network.hosts[0].node.gauges.memberClock == 42)
    }

    /// Section 6.1: an alive of the same incarnation never clears suspicion or death.
    @Test func onlyAHigherIncarnationRevives() {
        die()
        network.inject([.alive(alive("m", 1))], into: 0)
        #expect(state == .failed)
        network.inject([.alive(alive("m", 2))], into: 0)
        #expect(state == .alive)
        network.inject([.suspect(Suspect(incarnation: 2, node: "m", from: "x"))], into: 0)
        network.inject([.alive(alive("m", 2))], into: 0)
        #expect(state == .suspect)
        network.inject([.alive(alive("m", 3))], into: 0)
        #expect(state == .alive)
    }

    @Test func leftMembersOfAPushPullAreLeaving() {
        let serf = SerfPushPull(
            time: 10,
            statusTimes: [SerfPushPull.StatusTime(node: "m", time: 7)],
            leftMembers: ["m"],
            eventTime: 0,
            events: [],
            queryTime: 0
        )
        let before = queued
        network.run(0) { node, now, random, actions in
            guard let stream = node.streamAccepted(now: now) else { return }
            let state = UserState(serf: serf, section: nil).encoded()
            let message = StreamMessage.pushPull(PushPull(join: false, nodes: [], userState: state))
            node.streamReceived(message, byteCount: 1, on: stream, now: now, using: &random, into: &actions)
        }
        #expect(state == .leaving)
        #expect(network.changes(on: 0, about: "m") == [.joined], "nobody has said that")
        #expect(network.hosts[0].node.member(named: "m")?.statusTime == 8)
        #expect(network.hosts[0].node.gauges.memberClock == 10)
        #expect(queued == before)
    }
}

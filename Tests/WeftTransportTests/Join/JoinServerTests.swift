import NIOCore
import Synchronization
import Testing
import WeftCore

@testable import WeftTransport

/// The join service against strangers: silent, slow, many, and those that say what they should not.
@Suite(.blocking, .timeLimit(.minutes(1))) struct JoinServerTests {
    private static func limits(_ change: (inout JoinLimits) -> Void) -> JoinLimits {
        var limits = JoinLimits()
        change(&limits)
        return limits
    }

    @Test func aClientThatSaysNothingIsClosed() async throws {
        try await JoinRig.with(limits: Self.limits { $0.timeout = .seconds(2) }) { rig in
            let received = try await RawJoinClient.send([], to: rig)
            #expect(received == [])
            let more = try await RawJoinClient.send([0, 0, 0, 9, 1], to: rig)
            #expect(more == [])
            let counters = try await rig.waitForCounters { $0.failures["timed-out"] == 2 }
            #expect(counters.exchanges == 2)
            #expect(rig.log.all.isEmpty)
        }
    }

    @Test(
        arguments: [
            [0, 0, 0, 0], [0, 0, 0, 1, 5, 5], [0, 1, 0, 1, 1], [0xff, 0xff, 0xff, 0xff, 0],
            Array("GET / HTTP/1.1\r\n".utf8),
        ] as [[UInt8]]
    )
    func whatIsNoRequestEndsTheConnection(_ bytes: [UInt8]) async throws {
        try await JoinRig.with { rig in
            let received = try await RawJoinClient.send(bytes, to: rig)
            #expect(received == [])
            let counters = try await rig.waitForCounters { $0.failures["malformed"] == 1 }
            #expect(counters.answers == 0)
            #expect(rig.log.all.isEmpty)
        }
    }

    @Test func aConnectionServesOnce() async throws {
        try await JoinRig.with(answer: { _, _ in [1, 2] }) { rig in
            let received = try await RawJoinClient.send([0, 0, 0, 1, 5], to: rig)
            #expect(received == [0, 0, 0, 2, 1, 2])
            let counters = try await rig.waitForCounters { $0.answers == 1 }
            #expect(counters.failures == [:])
        }
    }

    @Test(arguments: [[], ["h2"]]) func onlyTheProtocolByItsNameIsServed(_ protocols: [String]) async throws {
        try await JoinRig.with { rig in
            let received = try await RawJoinClient.send([0, 0, 0, 1, 5], to: rig, protocols: protocols)
            #expect(received == [])
            _ = try await rig.waitForCounters { $0.failures["not-join"] == 1 }
            #expect(rig.log.all.isEmpty)
        }
    }

    @Test func aServiceThatDoesNotAnswerOrIsSlow() async throws {
        try await JoinRig.with(answer: { _, _ in [] }) { rig in
            #expect(await rig.failure() == .noAnswer(rig.address))
            _ = try await rig.waitForCounters { $0.failures["unanswered"] == 1 }
        }
        try await JoinRig.with(
            limits: Self.limits { $0.timeout = .seconds(2) },
            answer: { _, _ in
                // Ends when the exchange has been given up.
                try? await Task.sleep(for: .seconds(30))
                return [1]
            }
        ) { rig in
            #expect(await rig.failure() == .noAnswer(rig.address))
            let counters = try await rig.waitForCounters { $0.failures["timed-out"] == 1 }
            #expect(counters.answers == 0)
        }
    }

    /// The first ones hold their places until they are answered, the others are turned away, and then there is room again.
    @Test func aFloodIsTurnedAwayAndLeavesNothingBehind() async throws {
        let gate = Gate()
        let limits = Self.limits {
            $0.timeout = .seconds(50)
            $0.exchangesMax = 8
            $0.exchangesPerAddressMax = 8
        }
        try await JoinRig.with(limits: limits, answer: Self.holding(gate)) { rig in
            try await withThrowingTaskGroup(of: [UInt8].self) { flood in
                for _ in 0..<100 {
                    flood.addTask { (try? await RawJoinClient.send([0, 0, 0, 1, 9], to: rig)) ?? [] }
                }
                let counters = try await rig.waitForCounters { $0.exchanges + $0.turnedAway == 100 }
                #expect(counters.exchanges == 8)
                try await Self.asked(8, rig)
                gate.open()
                var answered = 0
                for try await bytes in flood where bytes == [0, 0, 0, 1, 9] { answered += 1 }
                #expect(answered == 8)
            }
            for _ in 0..<10 { #expect(await rig.failure(timeout: .seconds(50)) == nil) }
        }
    }

    @Test func oneAddressCannotTakeAllPlaces() async throws {
        let gate = Gate()
        let limits = Self.limits {
            $0.timeout = .seconds(50)
            $0.exchangesPerAddressMax = 2
        }
        try await JoinRig.with(limits: limits, answer: Self.holding(gate)) { rig in
            async let first = RawJoinClient.send([0, 0, 0, 1, 9], to: rig)
            async let second = RawJoinClient.send([0, 0, 0, 1, 9], to: rig)
            try await Self.asked(2, rig)
            #expect(await rig.failure(timeout: .seconds(50)) == .tlsFailed(rig.address, reason: "closed"))
            #expect(rig.server.counters.turnedAway == 1)
            gate.open()
            #expect(try await [first, second] == [[0, 0, 0, 1, 9], [0, 0, 0, 1, 9]])
        }
    }

    /// Answers with the question; the question 9 only once the gate is open.
    private static func holding(_ gate: Gate) -> JoinService {
        { request, _ in
            if request == [9] { await gate.wait() }
            return request
        }
    }

    /// Waits until the service has been asked so many times.
    private static func asked(_ count: Int, _ rig: JoinRig) async throws {
        for _ in 0..<4000 where rig.log.all.count < count { try await Task.sleep(for: .milliseconds(5)) }
        #expect(rig.log.all.count == count)
    }

    /// A client that goes away gives its place back only when the service has stopped working for it.
    @Test func aServiceThatWorksHoldsItsPlace() async throws {
        let gate = Gate()
        let limits = Self.limits {
            $0.exchangesMax = 1
            $0.timeout = .seconds(2)
        }
        try await JoinRig.with(
            limits: limits,
            answer: { request, _ in
                if request == [9] { await gate.wait() }
                return request
            }
        ) { rig in
            let received = try await RawJoinClient.send([0, 0, 0, 1, 9], to: rig)
            #expect(received == [])
            #expect(await rig.failure() == .tlsFailed(rig.address, reason: "closed"))
            gate.open()
            for _ in 0..<500 {
                if await rig.failure() == nil { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("the place was not given back")
        }
    }

    @Test func fewLongRequestsAreHeldAtATime() async throws {
        try await JoinRig.with(limits: Self.limits { $0.longMax = 0 }) { rig in
            let grant = JoinFrame.grantLine + [UInt8](repeating: 1, count: 100_000)
            #expect(await rig.failure(grant) == .noAnswer(rig.address))
            _ = try await rig.waitForCounters { $0.failures["busy"] == 1 }
            #expect(await rig.failure() == nil)
        }
    }

    @Test func clientsThatLeaveAreCounted() async throws {
        try await JoinRig.with(answer: { request, _ in
            try? await Task.sleep(for: .seconds(5))
            return request
        }) { rig in
            for _ in 0..<20 { _ = try await RawJoinClient.send([0, 0, 0, 1, 5], to: rig, closesAtOnce: true) }
            _ = try await rig.waitForCounters { $0.failures.values.reduce(0, +) == 20 }
            #expect(rig.server.counters.answers == 0)
        }
    }
}

/// Holds whoever waits until it is opened.
private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

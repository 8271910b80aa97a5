import Testing
import WeftCore

@testable import WeftGossip

@Suite("Suspicion")
struct SuspicionTests {
    private let began = Instant(nanoseconds: 5_000_000_000)

    private func suspicion(expected: Int) -> Suspicion {
        Suspicion(
            of: 1,
            by: "a",
            at: began,
            expected: expected,
            minimum: .seconds(4),
            maximum: .seconds(24)
        )
    }

    @Test func confirmationsOfDifferentMembersShortenIt() {
        var suspicion = suspicion(expected: 2)
        var steps: [(news: Bool, lasts: Duration)] = []
        var confirmed: [Bool] = []
        for accuser in ["a", "b", "b", "c", "d"] as [MemberName] {
            let news = suspicion.confirm(by: accuser)
            steps.append((news, suspicion.deadline - began))
            confirmed.append(suspicion.isConfirmed)
        }
        #expect(steps.map { $0.news } == [false, true, false, true, false])
        #expect(
            steps.map { $0.lasts } == [
                .seconds(24), .milliseconds(11381), .milliseconds(11381), .seconds(4), .seconds(4),
            ]
        )
        #expect(suspicion.accusers == ["a", "b", "c"])
        #expect(confirmed == [false, false, false, true, true])
    }

    @Test func withNobodyToConfirmItIsShortAtOnce() {
        var suspicion = suspicion(expected: 0)
        let news = suspicion.confirm(by: "b")
        #expect(!news && suspicion.deadline - began == .seconds(4))
        #expect(!suspicion.isConfirmed)
    }
}

@Suite("Local health")
struct AwarenessTests {
    @Test(arguments: [([1, 1], 2), ([-1], 0), ([5, 5], 7), ([5, 5, -1], 6)])
    func scoreStaysInItsRange(deltas: [Int], score: Int) {
        var awareness = Awareness(bound: 8)
        for delta in deltas { awareness.apply(delta) }
        #expect(awareness.score == score)
        #expect(awareness.scaled(.seconds(1)) == .seconds(score + 1))
    }
}

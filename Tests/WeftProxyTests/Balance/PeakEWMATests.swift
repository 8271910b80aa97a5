import Testing
import WeftCore

@testable import WeftProxy

@Suite struct PeakEWMATests {
    private let decay = Decay(over: .seconds(10))

    private func milliseconds(_ average: PeakEWMA, at time: Duration) -> Double {
        average.estimate(at: .at(time), waited: 0, decay: decay) / 1e6
    }

    @Test func whatIsAssumedStaysUntilTheFirstAnswerReplacesIt() {
        var average = PeakEWMA(start: .milliseconds(30), at: .at(.zero))
        #expect(milliseconds(average, at: .seconds(60)) == 30)
        average.observe(.milliseconds(2), at: .at(.seconds(60)), decay: decay)
        #expect(milliseconds(average, at: .seconds(60)) == 2)
    }

    @Test func aSlowAnswerCountsAtOnceAndIsForgottenByAndBy() {
        var average = PeakEWMA(start: .milliseconds(30), at: .at(.zero))
        average.observe(.milliseconds(1), at: .at(.zero), decay: decay)
        average.observe(.milliseconds(100), at: .at(.seconds(1)), decay: decay)
        #expect(milliseconds(average, at: .seconds(1)) == 100)
        // 1/e is left after the decay time.
        #expect(abs(milliseconds(average, at: .seconds(11)) - 36.788) < 0.01)
        // A fast one then weighs 1 - 1/e.
        average.observe(.milliseconds(1), at: .at(.seconds(11)), decay: decay)
        #expect(abs(milliseconds(average, at: .seconds(11)) - (36.788 + 0.632)) < 0.01)
    }

    @Test func failuresAreAddedAndForgiven() {
        var average = PeakEWMA(start: .milliseconds(30), at: .at(.zero))
        average.observe(.milliseconds(10), at: .at(.zero), decay: decay)
        average.penalise(.seconds(5), at: .at(.zero), decay: decay)
        #expect(milliseconds(average, at: .zero) == 5010)
        #expect(average.latency(at: .at(.zero), decay: decay) == .milliseconds(10))
        // A smaller one does not lessen it.
        average.penalise(.seconds(1), at: .at(.zero), decay: decay)
        #expect(milliseconds(average, at: .zero) == 5010)
        average.forgive()
        #expect(milliseconds(average, at: .zero) == 10)
    }

    @Test func whoHangsGetsDearerWhileItHangs() {
        var load = EndpointLoad(start: .milliseconds(30), at: .at(.zero))
        load.sample { $0.observe(.milliseconds(1), at: .at(.zero), decay: decay) }
        load.started(at: .at(.zero))
        let early = load.cost(at: .at(.milliseconds(1)), weight: 1, decay: decay)
        let late = load.cost(at: .at(.seconds(3)), weight: 1, decay: decay)
        #expect(early < 2.1e6 && late == 2 * 3e9)
        load.settled(at: .at(.seconds(3)))
        load.ended()
        #expect(load.pending == 0 && load.cost(at: .at(.seconds(3)), weight: 1, decay: decay) < 1e6)
    }

    @Test(
        arguments: [
            (RequestVerdict(httpStatus: 200), nil), (RequestVerdict(httpStatus: 404), nil),
            (RequestVerdict(httpStatus: 500), 5), (RequestVerdict(httpStatus: 429, retryAfter: .seconds(20)), 20),
            (RequestVerdict(httpStatus: 503, retryAfter: .seconds(900)), 300),
            (RequestVerdict(httpStatus: 503, retryAfter: .zero), 5), (RequestVerdict(grpcStatus: 0), nil),
            (RequestVerdict(grpcStatus: 5), nil), (RequestVerdict(grpcStatus: 12), nil),
            (RequestVerdict(grpcStatus: 14), 5), (RequestVerdict(grpcStatus: 8), 5), (RequestVerdict.abandoned, nil),
        ] as [(RequestVerdict, Int?)]
    )
    func whatAnAnswerCountsFor(_ verdict: RequestVerdict, _ seconds: Int?) {
        #expect(verdict.sample(BalanceSettings()) == seconds.map { .seconds($0) })
    }
}

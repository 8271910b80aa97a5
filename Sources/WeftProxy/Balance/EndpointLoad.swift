package import WeftCore

/// What one endpoint has to do for this event loop, and what one more request would cost there.
///
/// cost = (latency to first byte + penalty) x (pending + 1)
///
/// While answers are awaited the latency is at least the time since the endpoint last gave one. So an endpoint that
/// hangs gets dearer with every moment, and not only when a timeout ends the first request; by its average alone it
/// would get cheaper, as averages decay without answers.
package struct EndpointLoad: Sendable, Equatable {
    package private(set) var average: PeakEWMA
    /// Requests that were started and have not ended, bodies and streams included.
    package private(set) var pending = 0
    /// Those of them without a first byte of an answer.
    private var awaited = 0
    /// Since when the endpoint owes an answer: the last one that it gave, or the request that came when it owed none.
    private var owesSince: Instant

    package init(start: Duration, at now: Instant) {
        average = PeakEWMA(start: start, at: now)
        owesSince = now
    }

    /// A request is on its way.
    package mutating func started(at now: Instant) {
        if awaited == 0 { owesSince = now }
        pending += 1
        awaited += 1
    }

    /// The endpoint stopped owing one answer, by giving it or because nobody waits for it any more.
    package mutating func settled(at now: Instant) {
        awaited = max(0, awaited - 1)
        owesSince = now
    }

    /// A request is over in both directions.
    package mutating func ended() { pending = max(0, pending - 1) }

    /// Changes the average.
    package mutating func sample(_ change: (inout PeakEWMA) -> Void) { change(&average) }

    /// What one more request costs, in nanoseconds of waiting. Zero for an endpoint that nobody has tried yet, as there
    /// is no other way to learn about it; `startLatency` is assumed of it as soon as it has one.
    ///
    /// `weight` relates the endpoint to the mean of its group: an endpoint of weight 2 may have twice as many pending.
    func cost(at now: Instant, weight: Double, decay: Decay) -> Double {
        if !average.isMeasured, pending == 0, !isPenalised(at: now, decay: decay) { return 0 }
        return assumedCost(at: now, weight: weight, decay: decay)
    }

    /// The same, with the assumption made for an endpoint that nobody has tried, too.
    func assumedCost(at now: Instant, weight: Double, decay: Decay) -> Double {
        let wait = awaited > 0 && now > owesSince ? Double(now.nanoseconds - owesSince.nanoseconds) : 0
        return average.estimate(at: now, waited: wait, decay: decay) * (Double(pending) / weight + 1)
    }

    private func isPenalised(at now: Instant, decay: Decay) -> Bool {
        average.penalty(at: now, decay: decay) > .zero
    }
}

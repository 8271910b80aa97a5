/// Every number of balancing and outlier ejection, in one place. The defaults suit services that answer within a
/// millisecond to a second; nobody has to set anything.
package struct BalanceSettings: Sendable, Equatable {
    // MARK: Cost

    /// The time in which an old sample loses all but 1/e of its say. Longer remembers a slow answer longer; shorter
    /// sends a slow endpoint more trial requests: one each `decay` x ln(slow / fast), 23 s for one 10 times slower.
    package var decay: Duration = .seconds(10)
    /// What is assumed of an endpoint while its very first answer is awaited.
    package var startLatency: Duration = .milliseconds(30)
    /// What a failure counts for, when the endpoint does not say how long to stay away.
    package var failureSample: Duration = .seconds(5)
    /// A `Retry-After` counts for no more than this.
    package var retryAfterMax: Duration = .seconds(300)

    // MARK: Choice

    /// With unequal weights, shares follow the weights as long as no endpoint costs this many times another. 1 would let
    /// the noise of latency decide, and two endpoints of weights 9 and 1 would share evenly.
    package var weightMargin = 2.0
    /// How long a new endpoint takes to get its full share.
    package var slowStart: Duration = .seconds(10)
    /// The part of its share that a new endpoint begins with, above 0 and up to 1; grows in a straight line.
    package var slowStartFloor = 0.1
    /// Slow start ends early where the alternative costs this many times the new endpoint: loaded or failing.
    package var slowStartMargin = 10.0
    /// Whether endpoints on this host, else the nearest by round-trip time, are preferred.
    package var prefersNear = false
    /// A far endpoint gets a request only where the near ones cost this many times as much.
    package var nearMargin = 3.0
    /// An endpoint counts as near with up to this many times the round-trip time of the nearest one...
    package var nearSpread = 1.5
    /// ... or with up to this much more: below, differences are noise.
    package var nearSlack: Duration = .milliseconds(1)
    /// Consistent hashing passes over an endpoint that has this many times its part of the pending requests
    /// (Mirrokni et al., Consistent Hashing with Bounded Loads, 2016: 1 + epsilon). Lower spreads better, higher keeps
    /// more requests at home.
    package var affinityLoadFactor = 1.5
    /// With no more pending requests than this, an endpoint is never passed over: two requests at once are no overload.
    package var affinityPendingFree = 8

    // MARK: Ejection

    /// So many failures in a row eject.
    package var consecutiveFailures = 7
    /// A success rate under this over the last 10 s ejects.
    package var successRateMin = 0.8
    /// The success rate says nothing of fewer requests than this.
    package var successRateRequestsMin = 5
    /// The length of the first ejection; each one in a row doubles it.
    package var ejectionMin: Duration = .seconds(1)
    /// No ejection is longer, and an endpoint that has behaved for as long starts again from `ejectionMin`.
    package var ejectionMax: Duration = .seconds(60)
    /// Ejections are shorter by a random part of themselves up to this, so that loops and hosts do not probe in step.
    package var ejectionJitter = 0.25
    /// For so long after an ejection only requests that could be retried elsewhere serve as the probe; then any does.
    package var probeCaution: Duration = .seconds(1)
    /// A probe that is not answered for so long does not keep others from being made.
    package var probePatience: Duration = .seconds(10)

    // MARK: Bounds

    /// Endpoints of one group that are used. About 300 bytes each, for each event loop.
    package var endpointsMax = 4096

    package init() {}
}

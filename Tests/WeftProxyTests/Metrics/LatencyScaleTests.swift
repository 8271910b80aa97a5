import Testing

@testable import WeftProxy

@Suite struct LatencyScaleTests {
    @Test func fineBucketsFollowEachOtherWithoutAGap() {
        var next: UInt64 = 0
        for bucket in 0..<LatencyScale.fineCount {
            let range = LatencyScale.range(ofFine: bucket)
            #expect(range.lowerBound == next)
            #expect(LatencyScale.fine(range.lowerBound) == bucket)
            #expect(LatencyScale.fine(range.upperBound) == bucket)
            next = range.upperBound + 1
        }
        #expect(next == 1 << 32)
        #expect(LatencyScale.fine(.max) == LatencyScale.fineCount - 1)
    }

    @Test func fixedBucketsHaveInclusiveBounds() {
        #expect(LatencyScale.bounds.count == LatencyScale.fixedCount - 1)
        for (bucket, bound) in LatencyScale.bounds.enumerated() {
            #expect(LatencyScale.fixed(bound) == bucket)
            #expect(LatencyScale.fixed(bound + 1) == bucket + 1)
        }
        #expect(LatencyScale.fixed(0) == 0)
        #expect(LatencyScale.fixed(.max) == LatencyScale.fixedCount - 1)
    }

    @Test func istiosBoundsAreAmongThem() {
        // In milliseconds: Envoy's default buckets, which istio_request_duration_milliseconds has.
        let istio = [
            0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000,
            1_800_000, 3_600_000,
        ]
        #expect(istio.allSatisfy { LatencyScale.bounds.contains(UInt64($0 * 1000)) })
    }

    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(1000), 1), (.nanoseconds(1001), 2),
            (.milliseconds(500), 500_000), (.seconds(-1), 0),
        ] as [(Duration, UInt64)]
    )
    func latenciesAreRoundedUp(_ latency: Duration, _ microseconds: UInt64) {
        #expect(LatencyScale.microseconds(latency) == microseconds)
    }

    /// Latencies of every size, alone in a tally: each quantile is that latency, within the bound that is promised.
    @Test func aQuantileIsOffByOneThirtySecondOrAMicrosecond() throws {
        var rng = SplitMix64(seed: 4)
        for _ in 0..<500 {
            // Below 2^32 µs, in nanoseconds.
            let nanoseconds =
                (UInt64(1) << UInt64.random(in: 0...41, using: &rng)) + UInt64.random(in: 0...999, using: &rng)
            let latency = Duration.nanoseconds(Int64(nanoseconds))
            var tally = FineTally()
            tally.add(delta(of: [latency]))
            let told = try #require(tally.quantile(0.5))
            let off = told > latency ? told - latency : latency - told
            #expect(off <= max(.microseconds(1), (latency + .microseconds(1)) / 32), "\(latency)")
        }
    }

    @Test(arguments: [0.0, 0.001, 0.5, 0.9, 0.99, 0.999, 1])
    func quantilesAreOfTheRightRank(part: Double) throws {
        var rng = SplitMix64(seed: 5)
        // From 10 µs to 10 s, evenly on a logarithmic scale.
        let decades = [10.0, 100, 1000, 1e4, 1e5, 1e6]
        let latencies = (0..<5000).map { _ in
            Duration.microseconds(1)
                * (decades[Int.random(in: 0..<6, using: &rng)] * Double.random(in: 1..<10, using: &rng))
        }
        var tally = FineTally()
        tally.add(delta(of: latencies))
        let rank = max(1, Int((part * 5000).rounded(.up)))
        let exact = latencies.sorted()[rank - 1]
        let told = try #require(tally.quantile(part))
        #expect(told >= exact * (31.0 / 32) - .microseconds(1) && told <= exact * (33.0 / 32) + .microseconds(1))
    }

    @Test func nothingHasNoQuantile() {
        var tally = FineTally()
        #expect(tally.quantile(0.5) == nil)
        tally.add(delta(of: [.milliseconds(1)]))
        tally.subtract(delta(of: [.milliseconds(1)]))
        #expect(tally == FineTally())
    }

    /// What a loop hands over after successes with these latencies.
    private func delta(of latencies: [Duration]) -> TallyDelta {
        var metrics = RequestMetrics()
        let id = metrics.id(of: .between("web", "api"))
        for latency in latencies {
            metrics.record(RequestRecord(response: .success, latency: latency, lastAttempt: latency), in: id)
        }
        return metrics.takeDelta().series[0].effective
    }
}

extension RequestSeries {
    static func between(_ source: String, _ service: String, _ perspective: Perspective = .caller) -> RequestSeries {
        RequestSeries(
            source: source,
            sourceTenant: "system",
            destination: "h1",
            service: service,
            kind: .http1,
            perspective: perspective
        )
    }
}

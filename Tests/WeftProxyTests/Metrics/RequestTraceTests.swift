import Testing
import WeftCore

@testable import WeftProxy

/// Which requests are reported, and what their traces go on as.
@Suite struct RequestTraceTests {
    private static let always = TraceSampler(part: 1)
    private static let never = TraceSampler(part: 0)

    /// 1, 2, 3, ...
    private struct Counting: RandomNumberGenerator {
        var last: UInt64 = 0

        mutating func next() -> UInt64 {
            last += 1
            return last
        }
    }

    /// xorshift64*, as the loops have it.
    private struct LoopLike: RandomNumberGenerator {
        var state: UInt64 = 7

        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 0x2545_f491_4f6c_dd1d
        }
    }

    private static func came(flags: String = "01") throws -> TraceContext {
        let text = "00-0000000000000000000000000000000a-000000000000000b-\(flags)"
        let context = TraceContext(Array(text.utf8).span.bytes)
        return try #require(context)
    }

    @Test(arguments: [(0, 0...0), (0.01, 70...130), (0.5, 4800...5200), (1, 10_000...10_000)])
    func aPartOfTheTracesIsSampled(_ part: Double, _ expected: ClosedRange<Int>) {
        var rng = LoopLike()
        let sampler = TraceSampler(part: part)
        let sampled = (0..<10_000).count { _ in sampler.samples(using: &rng) }
        #expect(expected.contains(sampled), "\(sampled)")
    }

    @Test func aTraceThatBeginsHereHasNoParent() throws {
        var rng = Counting()
        #expect(TraceFacts.beginning(at: .caller, Self.never, using: &rng) == nil)
        rng = Counting()
        let facts = try #require(TraceFacts.beginning(at: .caller, Self.always, using: &rng))
        #expect(facts == TraceFacts(traceHigh: 1, traceLow: 2, parent: nil, callerSpan: 3, calleeSpan: nil))
        #expect(facts.onward(nil).text == "00-00000000000000010000000000000002-0000000000000003-03")
    }

    @Test(
        arguments: [
            (.caller, TraceFacts(traceHigh: 0, traceLow: 10, parent: 11, callerSpan: 1, calleeSpan: nil)),
            (.callee, TraceFacts(traceHigh: 0, traceLow: 10, parent: 11, callerSpan: nil, calleeSpan: 1)),
        ] as [(TraceFacts.End, TraceFacts)]
    )
    func whatIsSampledGoesOnUnderWeftsSpan(_ end: TraceFacts.End, _ expected: TraceFacts) throws {
        var rng = Counting()
        for flags in ["01", "03"] {
            rng = Counting()
            let came = try Self.came(flags: flags)
            let facts = try #require(TraceFacts.goingOn(came, at: end, using: &rng))
            #expect(facts == expected)
            #expect(facts.onward(came).text == "00-0000000000000000000000000000000a-0000000000000001-\(flags)")
        }
    }

    @Test func onTheServicesHostTheLastSpanIsTheServices() throws {
        var rng = Counting()
        let came = try Self.came()
        let caller = try #require(TraceFacts.goingOn(came, at: .caller, using: &rng))
        let both = caller.withCallee(using: &rng)
        #expect(both == TraceFacts(traceHigh: 0, traceLow: 10, parent: 11, callerSpan: 1, calleeSpan: 2))
        #expect(both.onward(came).span == 2)
        #expect(both.withCallee(using: &rng) == both)
    }

    @Test func whatIsNotSampledIsNotReported() throws {
        var rng = Counting()
        for flags in ["00", "02"] {
            #expect(TraceFacts.goingOn(try Self.came(flags: flags), at: .caller, using: &rng) == nil)
        }
        #expect(rng.last == 0, "nothing was drawn")
    }
}

package import WeftCore

/// Which of the traces that begin here are reported.
package struct TraceSampler: Sendable, Equatable {
    /// Draws below it are; nil is every one of them.
    private let threshold: UInt64?

    /// - Parameter part: from 0 to 1.
    package init(part: Double) {
        let scaled = part * 0x1p64
        threshold = scaled >= 0x1p64 ? nil : UInt64(max(0, scaled))
    }

    func samples(using rng: inout some RandomNumberGenerator) -> Bool { threshold.map { rng.next() < $0 } ?? true }
}

/// Which requests are reported, and how their traces go on: each under the span of the last end that this host speaks for.
/// What is not reported goes on as it came.
extension TraceFacts {
    /// The end of a request that a host meets it at.
    package enum End: Sendable {
        case caller
        case callee
    }

    /// Of a request without `traceparent`; nil when it is not to be reported.
    package static func beginning(
        at end: End,
        _ sampler: TraceSampler,
        using rng: inout some RandomNumberGenerator
    ) -> TraceFacts? {
        guard sampler.samples(using: &rng) else { return nil }
        return TraceFacts(TraceContext(isSampled: true, using: &rng), parent: nil, at: end)
    }

    /// Of a request with `traceparent`; nil when its caller does not want it reported.
    package static func goingOn(
        _ context: TraceContext,
        at end: End,
        using rng: inout some RandomNumberGenerator
    ) -> TraceFacts? {
        guard context.isSampled else { return nil }
        return TraceFacts(context.child(using: &rng), parent: context.span, at: end)
    }

    private init(_ context: TraceContext, parent: UInt64?, at end: End) {
        self.init(
            traceHigh: context.traceHigh,
            traceLow: context.traceLow,
            parent: parent,
            callerSpan: end == .caller ? context.span : nil,
            calleeSpan: end == .callee ? context.span : nil
        )
    }

    /// The caller's host turns out to be the service's as well.
    package func withCallee(using rng: inout some RandomNumberGenerator) -> TraceFacts {
        guard calleeSpan == nil else { return self }
        return TraceFacts(
            traceHigh: traceHigh,
            traceLow: traceLow,
            parent: parent,
            callerSpan: callerSpan,
            calleeSpan: max(1, rng.next())
        )
    }

    /// What `traceparent` says to whoever is next.
    ///
    /// - Parameter came: what it said; nil when there was none.
    package func onward(_ came: TraceContext?) -> TraceContext {
        TraceContext(self, flags: came?.flags, span: calleeSpan ?? callerSpan)
    }
}

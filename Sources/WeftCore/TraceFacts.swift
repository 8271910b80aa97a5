/// Where a request that is reported stands in its trace: the spans that weft makes of it. Ids are never zero.
package struct TraceFacts: Sendable, Hashable {
    /// The two halves of the trace's id.
    package let traceHigh: UInt64
    package let traceLow: UInt64
    /// The span that the client made the request in; nil when the trace began here.
    package let parent: UInt64?
    /// This host's span for the caller; nil when the caller is on another host.
    package let callerSpan: UInt64?
    /// This host's span for the service, a child of the caller's where there is one; nil when another host has it.
    package let calleeSpan: UInt64?
    /// When the request began, in nanoseconds since 1970: requests can be shorter than a `WallTime` can tell. Set by the
    /// record stage.
    package private(set) var began: Int64 = 0

    package init(traceHigh: UInt64, traceLow: UInt64, parent: UInt64?, callerSpan: UInt64?, calleeSpan: UInt64?) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.parent = parent
        self.callerSpan = callerSpan
        self.calleeSpan = calleeSpan
    }

    /// The same, begun at a time.
    package func began(_ nanoseconds: Int64) -> TraceFacts {
        var facts = self
        facts.began = nanoseconds
        return facts
    }
}

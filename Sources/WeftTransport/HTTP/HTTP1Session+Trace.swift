internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The `traceparent` of requests: put in where there is none, and changed in its place for those that are reported.
extension HTTP1Session {
    private static let name = Array("traceparent".utf8)

    /// Set for a request that is to be reported, whatever becomes of it.
    func trace(of head: RequestHead) -> TraceFacts? {
        guard let sampler = loop.requests.sampler else { return nil }
        let end: TraceFacts.End = connection?.isOutbound == true ? .caller : .callee
        guard head.hasTraceParent else { return TraceFacts.beginning(at: end, sampler, using: &loop.requests.random) }
        return context(in: clientBytes, head).flatMap { TraceFacts.goingOn($0, at: end, using: &loop.requests.random) }
    }

    /// The head as it goes on. `bytes` begins where the scanner's did.
    func traced(_ bytes: ByteBuffer, _ head: RequestHead, for request: inout HTTPRequest) -> ByteBuffer {
        guard var facts = request.trace else {
            // A trace begins where the caller's daemon sees a request without one.
            guard !head.hasTraceParent, connection?.isOutbound == true else { return bytes }
            let trace = TraceContext(isSampled: false, using: &loop.requests.random)
            return bytes.inserting(field(trace), at: head.insertionOffset)
        }
        if request.route?.isToThisHost == true { facts = facts.withCallee(using: &loop.requests.random) }
        request.trace = facts
        guard head.hasTraceParent else { return bytes.inserting(field(facts.onward(nil)), at: head.insertionOffset) }
        let onward = facts.onward(context(in: bytes, head))
        return bytes.replacing(head.traceParent.range, with: Array(onward.text.utf8))
    }

    /// What the field says; nil when that cannot be read, or there are two of them.
    private func context(in bytes: ByteBuffer, _ head: RequestHead) -> TraceContext? {
        let span = bytes.readableBytesSpan
        guard head.value(of: Self.name, in: span) == head.traceParent else { return nil }
        return TraceContext(span.extracting(head.traceParent.range))
    }

    private func field(_ context: TraceContext) -> [UInt8] {
        loop.requests.scratch.removeAll(keepingCapacity: true)
        loop.requests.scratch.append(contentsOf: "traceparent: ".utf8)
        context.write(to: &loop.requests.scratch)
        loop.requests.scratch.append(contentsOf: "\r\n".utf8)
        return loop.requests.scratch
    }
}

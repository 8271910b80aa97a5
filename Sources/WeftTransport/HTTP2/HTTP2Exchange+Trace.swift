internal import NIOCore
internal import NIOHPACK
internal import WeftCore
internal import WeftProxy

/// The `traceparent` of requests, as with HTTP/1 (`HTTP1Session+Trace`): put in where there is none, and changed in its
/// place for those that are reported.
extension HTTP2Exchange {
    private static let name = "traceparent"

    /// Decides whether the request is to be reported, whatever becomes of it.
    func beginTrace() {
        guard let connection else { return }
        let hasTrace = fields.contains(name: Self.name)
        if let sampler = loop.requests.sampler {
            let end: TraceFacts.End = connection.isOutbound ? .caller : .callee
            request.trace =
                hasTrace
                ? context.flatMap { TraceFacts.goingOn($0, at: end, using: &loop.requests.random) }
                : TraceFacts.beginning(at: end, sampler, using: &loop.requests.random)
        }
        // A trace begins where the caller's daemon sees a request without one.
        guard !hasTrace, request.trace == nil, connection.isOutbound else { return }
        let trace = TraceContext(isSampled: false, using: &loop.requests.random)
        fields.add(name: Self.name, value: trace.text)
    }

    /// The fields as they go to the endpoint.
    func tracedFields() -> HPACKHeaders {
        guard var facts = request.trace else { return fields }
        if request.route?.isToThisHost == true { facts = facts.withCallee(using: &loop.requests.random) }
        request.trace = facts
        var onward = fields
        onward.replaceOrAdd(name: Self.name, value: facts.onward(context).text)
        return onward
    }

    /// What the field says; nil when that cannot be read, or there are two of them.
    private var context: TraceContext? {
        let values = fields[Self.name]
        guard values.count == 1, let bytes = values.first.map({ Array($0.utf8) }) else { return nil }
        return TraceContext(bytes.span.bytes)
    }
}

internal import FoundationEssentials
internal import WeftCore

extension OTLPRequest {
    /// One list for each service, in the order in which they first appear.
    init(_ spans: [Span]) {
        var places: [Resource: Int] = [:]
        resourceSpans = []
        for span in spans {
            let place = places[span.resource] ?? resourceSpans.count
            if place == resourceSpans.count {
                places[span.resource] = place
                let scope = Scope(name: "weft", version: weftVersion)
                resourceSpans.append(
                    ResourceSpans(resource: span.resource, scopeSpans: [ScopeSpans(scope: scope, spans: [])])
                )
            }
            resourceSpans[place].scopeSpans[0].spans.append(span.span)
        }
    }

    /// The body of a post.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}

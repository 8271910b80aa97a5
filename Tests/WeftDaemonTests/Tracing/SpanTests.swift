import Testing
import WeftCore

@testable import WeftDaemon

/// What requests are told as.
@Suite struct SpanTests {
    private func span(_ decision: Decision, _ kind: OTLPSpan.Kind) throws -> OTLPSpan {
        try #require(Span.all(of: decision, node: "a").map(\.span).first { $0.kind == kind })
    }

    private func value(_ key: String, of span: OTLPSpan) -> String? {
        span.attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
    }

    @Test("A request between two hosts, as the caller's sends it")
    func caller() throws {
        let json = try OTLPRequest(Span.all(of: .request(), node: "web-1")).json()
        #expect(String(decoding: json, as: UTF8.self) == Self.golden)
    }

    @Test("On one host there are two spans, the service's a child of the caller's, each with its own service")
    func bothEnds() throws {
        let trace = TraceFacts(traceHigh: 1, traceLow: 2, parent: nil, callerSpan: 3, calleeSpan: 4)
        let request = OTLPRequest(Span.all(of: try .request(trace: trace), node: "a"))
        let names = request.resourceSpans.map { $0.resource.attributes[0].value.stringValue }
        #expect(names == ["web", "api"])
        let spans = request.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans)
        #expect(spans.map(\.kind) == [.client, .server])
        #expect(spans.map(\.spanId) == ["0000000000000003", "0000000000000004"])
        #expect(spans.map(\.parentSpanId) == [nil, "0000000000000003"])
        #expect(value("client.address", of: spans[1]) == "10.0.0.1")
        #expect(value("peer.service", of: spans[1]) == nil)
    }

    @Test("The service's span on another host is a child of what came")
    func callee() throws {
        let trace = TraceFacts(traceHigh: 1, traceLow: 2, parent: 9, callerSpan: nil, calleeSpan: 4)
        let spans = Span.all(of: try .request(trace: trace), node: "a").map(\.span)
        #expect(spans.map(\.kind) == [.server])
        #expect(spans.first?.parentSpanId == "0000000000000009")
    }

    @Test("Without a trace there is nothing to tell")
    func untraced() throws { #expect(Span.all(of: try .request(trace: nil), node: "a").isEmpty) }

    @Test("Spans of one service are in one list, in their order")
    func grouping() throws {
        let trace = TraceFacts(traceHigh: 1, traceLow: 2, parent: nil, callerSpan: 3, calleeSpan: 4)
        let decisions = try (1...3).map { try Decision.request(number: $0, trace: trace) }
        let request = OTLPRequest(decisions.flatMap { Span.all(of: $0, node: "a") })
        #expect(request.resourceSpans.map { $0.scopeSpans.map(\.spans.count) } == [[3], [3]])
        let ids = request.resourceSpans[1].scopeSpans[0].spans.map { value("weft.decision", of: $0) }
        #expect(ids == ["1", "2", "3"])
    }

    struct Errors: Sendable {
        let status: UInt16?
        let flag: String?
        let client: String?
        let server: String?
    }

    @Test(
        "An error is weft's flag or the status; the server is not at fault for its clients",
        arguments: [
            Errors(status: 200, flag: nil, client: nil, server: nil),
            Errors(status: 404, flag: nil, client: "404", server: nil),
            Errors(status: 500, flag: nil, client: "500", server: "500"),
            Errors(status: 503, flag: "no-endpoint", client: "no-endpoint", server: "no-endpoint"),
            Errors(status: 429, flag: "rate-limited", client: "rate-limited", server: nil),
            Errors(status: 200, flag: "upstream-reset", client: "upstream-reset", server: "upstream-reset"),
            Errors(status: nil, flag: "client-gone", client: "client-gone", server: nil),
            Errors(status: nil, flag: nil, client: "no-response", server: "no-response"),
        ]
    )
    func errors(_ expected: Errors) throws {
        let trace = TraceFacts(traceHigh: 1, traceLow: 2, parent: nil, callerSpan: 3, calleeSpan: 4)
        let decision = try Decision.request(
            status: expected.status,
            flag: expected.flag,
            detail: "why",
            trace: trace
        )
        for (kind, error) in [(OTLPSpan.Kind.client, expected.client), (.server, expected.server)] {
            let span = try span(decision, kind)
            #expect(value("error.type", of: span) == error)
            #expect(span.status.code == error.map { _ in 2 })
            #expect(span.status.message == error.map { _ in "why" })
            #expect(value("weft.flag", of: span) == expected.flag)
            #expect(value("http.response.status_code", of: span) == expected.status.map { "\($0)" })
        }
    }

    @Test(
        "Names are few: unknown methods have none",
        arguments: [
            ("POST /a", "POST", "POST", nil, "/a"), ("BREW /a b", "HTTP", "_OTHER", "BREW", "/a b"),
            ("get /", "HTTP", "_OTHER", "get", "/"), ("", "HTTP", "_OTHER", nil, ""),
        ] as [(String, String, String, String?, String)]
    )
    func methods(_ line: String, _ name: String, _ method: String, _ original: String?, _ path: String) throws {
        let span = try span(.request(line, tries: 3, wire: "http/2"), .client)
        #expect(span.name == name)
        #expect(value("http.request.method", of: span) == method)
        #expect(value("http.request.method_original", of: span) == original)
        #expect(value("url.path", of: span) == path)
        #expect(value("url.full", of: span) == "http://240.0.0.1:8080\(path)")
        #expect(value("http.request.resend_count", of: span) == "2")
        #expect(value("network.protocol.version", of: span) == "2")
    }

    private static let golden = """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}},\
        {"key":"service.namespace","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"web-1"}}]},\
        "scopeSpans":[{"scope":{"name":"weft","version":"\(weftVersion)"},"spans":[{"attributes":[\
        {"key":"http.request.method","value":{"stringValue":"GET"}},\
        {"key":"url.scheme","value":{"stringValue":"http"}},\
        {"key":"url.path","value":{"stringValue":"/orders/7"}},\
        {"key":"server.address","value":{"stringValue":"240.0.0.1"}},\
        {"key":"server.port","value":{"intValue":"8080"}},\
        {"key":"network.protocol.name","value":{"stringValue":"http"}},\
        {"key":"network.protocol.version","value":{"stringValue":"1.1"}},\
        {"key":"http.response.status_code","value":{"intValue":"200"}},\
        {"key":"url.full","value":{"stringValue":"http://240.0.0.1:8080/orders/7"}},\
        {"key":"peer.service","value":{"stringValue":"api"}},\
        {"key":"network.peer.address","value":{"stringValue":"10.0.0.2"}},\
        {"key":"network.peer.port","value":{"intValue":"80"}},\
        {"key":"weft.decision","value":{"stringValue":"5"}}],\
        "endTimeUnixNano":"1700000000124956789","kind":3,"name":"GET","parentSpanId":"0000000000000001",\
        "spanId":"0000000000000002","startTimeUnixNano":"1700000000123456789","status":{},\
        "traceId":"000000000000000a000000000000000b"}]}]}]}
        """
}

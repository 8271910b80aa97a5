import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

extension EndToEnd {
    /// What people and programs see of requests: live, as rates, in the journal and as spans.
    @Suite struct SeeingTests {
        @Test func requestsAreSeenWhereTheyPass() async throws {
            try await withIdentities(configuration: ["h2": "[log]\nrequests = \"errors\"\n"]) { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.serveWeb()
                _ = try await client.virtualAddress(of: "web", endpoints: ["h2 8080"])
                try await client.waitForTunnel(toWebOn: server)
                for host in hosts {
                    let tap = "/usr/local/bin/weft tap -o json --service web --path /status --status 5xx"
                    try await host.start(.init("tap.service", tap, settings: ["StandardOutput=truncate:/run/tapped"]))
                }
                let place = "\(server.address4) 8080"
                // Until somebody taps, nothing is recorded.
                try await waitUntil("the client's request is tapped", every: .milliseconds(200)) {
                    #expect(try await client.once("\(place) /status/503").status == 503)
                    return try await client.shell("cat /run/tapped").text.contains("GET /status/503")
                }
                #expect(try await client.once("\(place) /status/404").status == 404)
                #expect(try await client.once("\(place) /").status == 200)
                for host in hosts {
                    try await waitUntil("requests are tapped on \(host.name)") {
                        try await host.shell("cat /run/tapped").text.contains("GET /status/503")
                    }
                    let rows = try await host.shell("cat /run/tapped").lines.map {
                        try JSONDecoder().decode(DecisionRow.self, from: Data($0.utf8))
                    }
                    #expect(rows.allSatisfy { $0.request?.status == 503 && $0.service == "web" }, "\(rows)")
                }
                // Both hosts know the rate, each from its side.
                try await waitUntil("both see it", every: .milliseconds(200)) {
                    _ = try await client.once("\(place) /")
                    let (left, right) = (try await client.stat("web"), try await server.stat("web"))
                    let isSeen = left.contains { $0.perspective == "caller" && $0.destination == "h2" }
                    return isSeen && right.contains { $0.perspective == "callee" && $0.source == "client" }
                }
                let top = try await client.shell("timeout 3 weft top --interval 1 || true")
                #expect(top.lines.contains { $0.contains("web") && $0.contains("caller") }, "\(top)")
                // The journal of the service's host has what went wrong, and nothing else.
                let log = try await server.shell(
                    "journalctl --sync; journalctl -q -u weftd -o cat WEFT_SERVICE=web WEFT_STATUS=503"
                )
                #expect(log.lines.contains { $0.hasPrefix("GET /status/503: ") }, "\(log)")
                let rest = try await server.shell(
                    "journalctl -q -u weftd -o cat WEFT_SERVICE=web WEFT_STATUS=404 WEFT_STATUS=200 || true"
                )
                #expect(rest.text == "", "\(rest)")
            }
        }

        @Test func requestsAreReportedAsSpansOfOneTrace() async throws {
            let tracing = "[tracing]\notlp = \"http://127.0.0.1\"\nsample = 1.0\n"
            try await withIdentities(configuration: ["h1": tracing, "h2": tracing]) { hosts in
                let (client, server) = (hosts[0], hosts[1])
                for host in hosts {
                    try await host.start(
                        .init("collector.service", web("collect 4318 /run/spans")),
                        listeningOn: 4318
                    )
                }
                try await server.serveWeb()
                _ = try await client.virtualAddress(of: "web", endpoints: ["h2 8080"])
                try await client.waitForTunnel(toWebOn: server)
                #expect(try await client.once("\(server.address4) 8080 /status/418").status == 418)
                let sent = try await client.span(of: "/status/418")
                let received = try await server.span(of: "/status/418")
                #expect(sent.kind == 3 && received.kind == 2, "\(sent) \(received)")
                #expect(sent.traceId == received.traceId && received.parentSpanId == sent.spanId, "\(sent) \(received)")
                #expect(sent.parentSpanId == nil && sent.name == "GET" && sent.text("peer.service") == "web", "\(sent)")
                #expect(received.text("http.response.status_code") == "418", "\(received)")
                // A trace that the application began goes on.
                let trace = String(repeating: "ab", count: 16)
                let parent = "00-\(trace)-00f067aa0ba902b7-01"
                _ = try await client.once("\(server.address4) 8080 /status/410 GET traceparent:\(parent)")
                let next = try await client.span(of: "/status/410")
                #expect(next.traceId == trace && next.parentSpanId == "00f067aa0ba902b7", "\(next)")
                #expect(try await server.span(of: "/status/410").parentSpanId == next.spanId)
            }
        }
    }
}

/// A span, as the collector was sent it.
private struct CollectedSpan: Decodable {
    struct Attribute: Decodable {
        struct Value: Decodable {
            var stringValue: String?
            var intValue: String?
        }

        var key: String
        var value: Value
    }

    var traceId: String
    var spanId: String
    var parentSpanId: String?
    var name: String
    var kind: Int
    var attributes: [Attribute]

    func text(_ key: String) -> String? {
        attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
    }
}

extension TestHost {
    fileprivate func stat(_ service: String) async throws -> [StatRow] {
        let output = try await run("weft", "stat", service, "-o", "json")
        return try JSONDecoder().decode([StatRow].self, from: Data(output.standardOutput.utf8))
    }

    /// The span of a request that this host has sent to its collector; waits for it.
    fileprivate func span(of path: String) async throws -> CollectedSpan {
        try await waitFor("a span of \(path) from \(name)") {
            try await shell("cat /run/spans 2>/dev/null || true").lines
                .map { try JSONDecoder().decode(CollectedSpan.self, from: Data($0.utf8)) }
                .first { $0.text("url.path") == path }
        }
    }
}

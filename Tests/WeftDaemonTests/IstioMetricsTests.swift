import Testing
import WeftCore
import WeftProxy

@testable import WeftDaemon

/// What `metrics.istio` adds to `/metrics`, whole.
@Suite struct IstioMetricsTests {
    private static func identity(_ tenant: String, _ service: String) throws -> SpiffeID {
        try #require(SpiffeID("spiffe://fra1/ns/\(tenant)/sa/\(service)"))
    }

    private static func series(
        _ perspective: RequestSeries.Perspective,
        on host: String,
        security: Security?,
        identity: IdentityPair,
        kind: RequestSeries.Kind = .http1
    ) -> RequestSeries {
        RequestSeries(
            source: identity.source?.account ?? "remote",
            sourceTenant: identity.source?.tenant?.text ?? "",
            destination: host,
            service: "api",
            kind: kind,
            perspective: perspective,
            identity: identity,
            security: security
        )
    }

    private static func totals() throws -> RequestTotals {
        var loop = RequestMetrics()
        func count(_ series: RequestSeries, _ status: UInt16?, _ flag: ResponseFlag? = nil, ms: Int = 1) {
            var record = RequestRecord(
                response: status.map(ResponseClass.init(status:)) ?? .none,
                flag: flag,
                latency: .milliseconds(ms),
                lastAttempt: nil
            )
            record.status = status
            loop.record(record, in: loop.id(of: series))
        }
        let both = IdentityPair(source: try identity("shop", "web"), destination: try identity("system", "api"))
        // Two hosts offer the service: one row of Istio's.
        count(series(.caller, on: "a", security: .mtls, identity: both), 200, ms: 2)
        count(series(.caller, on: "b", security: .mtls, identity: both), 200, ms: 4000)
        count(series(.caller, on: "b", security: .mtls, identity: both), 503, .connectFailed)
        count(series(.caller, on: "b", security: .mtls, identity: both), 503, .tunnelFailed)
        let clear = IdentityPair(source: nil, destination: try identity("system", "api"))
        count(series(.callee, on: "a", security: .plaintext, identity: clear), 404)
        count(series(.callee, on: "a", security: .plaintext, identity: clear), nil, .clientGone)
        var call = RequestRecord(response: .grpcClientError, latency: .zero, lastAttempt: .zero)
        (call.status, call.grpcStatus) = (200, 5)
        loop.record(call, in: loop.id(of: series(.callee, on: "a", security: .mtls, identity: both, kind: .grpc)))
        var totals = RequestTotals()
        totals.add(loop.takeDelta())
        return totals
    }

    private static func counters() -> TrafficCounters {
        var counters = TrafficCounters()
        let outcome = Outcome(.completed, side: .client)
        let local = TrafficPair(source: "web.service", tenant: "shop", destination: "db", path: .local)
        let outside = TrafficPair(source: "host", tenant: "system", destination: "outside", path: .outside)
        let requests = TrafficPair(source: "remote", tenant: "", destination: "api", path: .inbound)
        for pair in [local, local, local, outside, requests] { counters.opened(pair) }
        for pair in [local, requests] { counters.requestsBegan(pair) }
        counters.closed(local, bytesOut: 7, bytesIn: 70, outcome: outcome)
        counters.closed(local, bytesOut: 100, bytesIn: 100, outcome: outcome, hadRequests: true)
        counters.closed(requests, bytesOut: 9, bytesIn: 9, outcome: outcome, hadRequests: true)
        return counters
    }

    @Test("The text, whole")
    func text() throws {
        let text = MetricsTests.metrics(Self.counters(), requests: try Self.totals(), istio: true).text
        let lines = text.split(separator: "\n").filter { $0.contains("istio_") }.map { line in
            Self.names.reduce(String(line)) { $0.replacing($1.value, with: "{\($1.key),") }
        }
        #expect(lines.joined(separator: "\n") == Self.golden)
        let exposition = try Exposition(text)
        #expect(Set(exposition.families.map(\.name)).count == exposition.families.count)
    }

    @Test("Without the switch there is nothing of Istio's")
    func off() throws {
        let text = MetricsTests.metrics(Self.counters(), requests: try Self.totals()).text
        #expect(!text.contains("istio_"))
        #expect(text.contains("weft_requests_total{"))
    }

    @Test("Every flag has one of Envoy's")
    func flags() {
        let known = Set(["UH", "UF", "UT", "UC", "UPE", "UAEX", "RL", "OM", "UO", "DPE", "SI", "DC", "NR", "LR"])
        #expect(Set(ResponseFlag.allCases.map(\.envoyFlag)) == known)
    }

    /// Who asks whom, by a short name.
    private static let names: KeyValuePairs = [
        "CALLER": """
        {reporter="source",source_workload="web",source_workload_namespace="shop",\
        source_principal="spiffe://fra1/ns/shop/sa/web",destination_workload="api",\
        destination_workload_namespace="system",destination_principal="spiffe://fra1/ns/system/sa/api",\
        destination_service="api.system",destination_service_name="api",destination_service_namespace="system",\
        request_protocol="http",
        """,
        "GRPC": """
        {reporter="destination",source_workload="web",source_workload_namespace="shop",\
        source_principal="spiffe://fra1/ns/shop/sa/web",destination_workload="api",\
        destination_workload_namespace="system",destination_principal="spiffe://fra1/ns/system/sa/api",\
        destination_service="api.system",destination_service_name="api",destination_service_namespace="system",\
        request_protocol="grpc",
        """,
        "CLEAR": """
        {reporter="destination",source_workload="unknown",source_workload_namespace="unknown",\
        source_principal="unknown",destination_workload="api",destination_workload_namespace="system",\
        destination_principal="unknown",destination_service="api.system",destination_service_name="api",\
        destination_service_namespace="system",request_protocol="http",
        """,
        "DB-S": """
        {reporter="source",source_workload="web",source_workload_namespace="shop",source_principal="unknown",\
        destination_workload="db",destination_workload_namespace="unknown",destination_principal="unknown",\
        destination_service="db",destination_service_name="db",destination_service_namespace="unknown",\
        request_protocol="tcp",
        """,
        "DB-D": """
        {reporter="destination",source_workload="web",source_workload_namespace="shop",source_principal="unknown",\
        destination_workload="db",destination_workload_namespace="unknown",destination_principal="unknown",\
        destination_service="db",destination_service_name="db",destination_service_namespace="unknown",\
        request_protocol="tcp",
        """,
        "OUT": """
        {reporter="source",source_workload="host",source_workload_namespace="system",source_principal="unknown",\
        destination_workload="unknown",destination_workload_namespace="unknown",destination_principal="unknown",\
        destination_service="PassthroughCluster",destination_service_name="PassthroughCluster",\
        destination_service_namespace="unknown",request_protocol="tcp",
        """,
    ]

    private static let golden = #"""
        # HELP istio_requests_total Requests, by Istio's name.
        # TYPE istio_requests_total counter
        istio_requests_total{CLEAR,response_code="404",response_flags="-",connection_security_policy="none"} 1
        istio_requests_total{CLEAR,response_code="0",response_flags="DC",connection_security_policy="none"} 1
        istio_requests_total{GRPC,response_code="200",grpc_response_status="5",response_flags="-",connection_security_policy="mutual_tls"} 1
        istio_requests_total{CALLER,response_code="200",response_flags="-",connection_security_policy="unknown"} 2
        istio_requests_total{CALLER,response_code="503",response_flags="UF",connection_security_policy="unknown"} 2
        # HELP istio_request_duration_milliseconds Time to the head of the response, by Istio's name.
        # TYPE istio_request_duration_milliseconds histogram
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="0.5"} 0
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="1"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="5"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="10"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="25"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="50"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="100"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="250"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="500"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="1000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="2500"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="5000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="10000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="30000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="60000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="300000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="600000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="1800000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="3600000"} 2
        istio_request_duration_milliseconds_bucket{CLEAR,connection_security_policy="none",le="+Inf"} 2
        istio_request_duration_milliseconds_sum{CLEAR,connection_security_policy="none"} 2
        istio_request_duration_milliseconds_count{CLEAR,connection_security_policy="none"} 2
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="0.5"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="1"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="5"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="10"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="25"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="50"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="100"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="250"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="500"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="1000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="2500"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="5000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="10000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="30000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="60000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="300000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="600000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="1800000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="3600000"} 1
        istio_request_duration_milliseconds_bucket{GRPC,connection_security_policy="mutual_tls",le="+Inf"} 1
        istio_request_duration_milliseconds_sum{GRPC,connection_security_policy="mutual_tls"} 0
        istio_request_duration_milliseconds_count{GRPC,connection_security_policy="mutual_tls"} 1
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="0.5"} 0
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="1"} 2
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="5"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="10"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="25"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="50"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="100"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="250"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="500"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="1000"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="2500"} 3
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="5000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="10000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="30000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="60000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="300000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="600000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="1800000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="3600000"} 4
        istio_request_duration_milliseconds_bucket{CALLER,connection_security_policy="unknown",le="+Inf"} 4
        istio_request_duration_milliseconds_sum{CALLER,connection_security_policy="unknown"} 4004
        istio_request_duration_milliseconds_count{CALLER,connection_security_policy="unknown"} 4
        # HELP istio_tcp_connections_opened_total Connections opened, by Istio's name.
        # TYPE istio_tcp_connections_opened_total counter
        istio_tcp_connections_opened_total{DB-D,response_flags="-",connection_security_policy="unknown"} 2
        istio_tcp_connections_opened_total{OUT,response_flags="-",connection_security_policy="unknown"} 1
        istio_tcp_connections_opened_total{DB-S,response_flags="-",connection_security_policy="unknown"} 2
        # HELP istio_tcp_connections_closed_total Connections ended, by Istio's name.
        # TYPE istio_tcp_connections_closed_total counter
        istio_tcp_connections_closed_total{DB-D,response_flags="-",connection_security_policy="unknown"} 1
        istio_tcp_connections_closed_total{OUT,response_flags="-",connection_security_policy="unknown"} 0
        istio_tcp_connections_closed_total{DB-S,response_flags="-",connection_security_policy="unknown"} 1
        # HELP istio_tcp_sent_bytes_total Bytes to the client, ended connections, by Istio's name.
        # TYPE istio_tcp_sent_bytes_total counter
        istio_tcp_sent_bytes_total{DB-D,response_flags="-",connection_security_policy="unknown"} 70
        istio_tcp_sent_bytes_total{OUT,response_flags="-",connection_security_policy="unknown"} 0
        istio_tcp_sent_bytes_total{DB-S,response_flags="-",connection_security_policy="unknown"} 70
        # HELP istio_tcp_received_bytes_total Bytes from the client, ended connections, by Istio's name.
        # TYPE istio_tcp_received_bytes_total counter
        istio_tcp_received_bytes_total{DB-D,response_flags="-",connection_security_policy="unknown"} 7
        istio_tcp_received_bytes_total{OUT,response_flags="-",connection_security_policy="unknown"} 0
        istio_tcp_received_bytes_total{DB-S,response_flags="-",connection_security_policy="unknown"} 7
        """#
}

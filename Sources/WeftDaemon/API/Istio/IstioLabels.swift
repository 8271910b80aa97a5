internal import WeftCore
internal import WeftProxy

/// Who asked whom, in the labels of Istio's standard metrics. `unknown` is Istio's own word for what cannot be told.
struct IstioLabels: Hashable {
    private static let unknown = "unknown"

    private let reporter: String
    private let source: End
    private let destination: End
    /// `NAME.TENANT`, as people are shown it.
    private let service: String
    private let serviceName: String
    private let requestProtocol: String
    private let securityPolicy: String

    private struct End: Hashable {
        var workload = IstioLabels.unknown
        var namespace = IstioLabels.unknown
        var principal = IstioLabels.unknown
    }

    /// Of requests.
    init(_ series: RequestSeries) {
        let (identity, security) = (series.identity, series.security)
        reporter = series.perspective == .caller ? "source" : "destination"
        source = End(
            workload: Self.workload(series.source),
            namespace: Self.known(identity.source?.namespace ?? series.sourceTenant),
            principal: Self.principal(identity.source, security)
        )
        destination = End(
            workload: Self.known(series.service),
            namespace: Self.known(identity.destination?.namespace ?? ""),
            principal: Self.principal(identity.destination, security)
        )
        let text = identity.destination.map { "\($0.account).\($0.namespace)" } ?? series.service
        service = Self.known(text)
        serviceName = destination.workload
        requestProtocol = series.kind == .grpc ? "grpc" : "http"
        securityPolicy = series.perspective == .caller ? Self.unknown : Self.policy(security)
    }

    /// Of connections that are carried as bytes, of which less is known.
    init(_ pair: TrafficPair, reporter: String) {
        self.reporter = reporter
        source = End(workload: Self.workload(pair.source), namespace: Self.known(pair.tenant))
        let name =
            switch (pair.path, pair.destination) {
            // What belongs to no service has the name of the cluster that Istio would carry it by.
            case (.outside, Path.outside.rawValue): "PassthroughCluster"
            case (.inbound, Path.inbound.rawValue): "InboundPassthroughCluster"
            default: pair.destination
            }
        destination = End(workload: name == pair.destination ? name : Self.unknown)
        (service, serviceName) = (name, name)
        requestProtocol = "tcp"
        securityPolicy = Self.unknown
    }

    /// In the order of Istio's documentation, with what a single family adds.
    func pairs(with more: [(String, String)] = []) -> [(String, String)] {
        [("reporter", reporter)] + end("source", source) + end("destination", destination)
            + [
                ("destination_service", service), ("destination_service_name", serviceName),
                ("destination_service_namespace", destination.namespace), ("request_protocol", requestProtocol),
            ] + more + [("connection_security_policy", securityPolicy)]
    }

    private func end(_ name: String, _ end: End) -> [(String, String)] {
        [
            ("\(name)_workload", end.workload), ("\(name)_workload_namespace", end.namespace),
            ("\(name)_principal", end.principal),
        ]
    }

    // MARK: Words

    private static func known(_ text: String) -> String { text.isEmpty ? unknown : text }

    /// Units are known without their suffix, as services are; `remote` is a client that nothing is known of.
    private static func workload(_ source: String) -> String {
        if source == "remote" { return unknown }
        return known(source.hasSuffix(".service") ? String(source.dropLast(".service".count)) : source)
    }

    /// Only where the other side could be sure of it.
    private static func principal(_ identity: SpiffeID?, _ security: Security?) -> String {
        guard let identity, security == .mtls || security == .local else { return unknown }
        return identity.description
    }

    private static func policy(_ security: Security?) -> String {
        switch security {
        case .mtls: "mutual_tls"
        case .plaintext, .local: "none"
        case nil: unknown
        }
    }
}

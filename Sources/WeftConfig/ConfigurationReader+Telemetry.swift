internal import WeftCore

extension ConfigurationReader {
    mutating func readMetrics(_ node: SettingNode) -> Configuration.Metrics {
        var metrics = Configuration.Metrics()
        guard let section = open(node, as: .metrics) else { return metrics }
        read("istio", of: section, as: .boolean, into: &metrics.istio)
        return metrics
    }

    mutating func readTracing(_ node: SettingNode) -> Configuration.Tracing {
        var tracing = Configuration.Tracing()
        guard let section = open(node, as: .tracing) else { return tracing }
        if let collector = section["otlp"] { tracing.otlp = read(collector, as: .collector) }
        read("sample", of: section, as: .fraction, into: &tracing.sample)
        return tracing
    }
}

/// Where OpenTelemetry's protocol has its default port for HTTP.
private let otlpPort: UInt16 = 4318

extension Setting where Value == PeerAddress {
    /// `http://ADDRESS:4318`.
    static var collector: Setting {
        Setting { node throws(Mistake) in
            let remedy = "write where a collector takes OTLP over HTTP, such as \"http://127.0.0.1:4318\""
            guard case .text(let text) = node.content else { throw .kind(of: node, needed: "a URL", remedy: remedy) }
            guard !text.hasPrefix("https:") else {
                throw Mistake(
                    reason: "\(quoted(text)) asks for TLS, which weft does not speak to collectors",
                    remedy: "run a collector on this host that passes spans on, and write \"http://127.0.0.1:4318\""
                )
            }
            let rest = text.hasPrefix("http://") ? text.dropFirst("http://".count) : ""
            let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
            if let slash = authority.firstIndex(of: "/"), PeerAddress(String(authority[..<slash])) != nil {
                throw Mistake(
                    reason: "\(quoted(text)) has a path, and OTLP has one of its own, /v1/traces",
                    remedy: "write \"http://\(shortened(String(authority[..<slash])))\""
                )
            }
            // Without brackets, the last part of an IPv6 address cannot be told from a port.
            guard let address = PeerAddress(String(authority)), IPAddress(String(authority))?.family != .v6 else {
                throw Mistake(reason: "\(quoted(text)) is not the URL of a collector", remedy: remedy)
            }
            return PeerAddress(address.host, port: address.port ?? otlpPort)
        }
    }
}

extension Setting where Value == Double {
    /// A part of a whole.
    static var fraction: Setting {
        Setting { node throws(Mistake) in
            let remedy = "write a number from 0 to 1, such as 0.01 for one in a hundred"
            let value: Double
            switch node.content {
            case .decimal(let number): value = number
            case .integer(let number): value = Double(number)
            default: throw .kind(of: node, needed: "a number", remedy: remedy)
            }
            guard (0...1).contains(value) else {
                throw Mistake(reason: "\(node.shown) is no part of a whole", remedy: remedy)
            }
            return value
        }
    }
}

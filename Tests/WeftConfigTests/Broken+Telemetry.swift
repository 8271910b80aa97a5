/// Mistakes in what is told of requests.
extension Broken {
    static let telemetry = [
        Broken("[metrics]\nistio = 1", line: 2, key: "metrics.istio", reason: "a boolean is needed", remedy: "true or"),
        collector("4318", reason: "a URL is needed", remedy: "\"http://127.0.0.1:4318\""),
        collector("\"127.0.0.1:4318\"", reason: "is not the URL", remedy: "\"http://127.0.0.1:4318\""),
        collector("\"http://\"", reason: "is not the URL", remedy: "\"http://127.0.0.1:4318\""),
        collector("\"http://fd00::9\"", reason: "is not the URL", remedy: "\"http://127.0.0.1:4318\""),
        collector("\"https://otel.example.com\"", reason: "asks for TLS", remedy: "a collector on this host"),
        collector("\"http://otel:4318/v1/traces\"", reason: "has a path", remedy: "write \"http://otel:4318\""),
        sample("2", reason: "2 is no part of a whole"), sample("-0.1", reason: "-0.1 is no part"),
        sample("nan", reason: "nan is no part"), sample("\"1%\"", reason: "a number is needed"),
    ]

    private static func collector(_ value: String, reason: String, remedy: String) -> Broken {
        Broken("[tracing]\notlp = \(value)", line: 2, key: "tracing.otlp", reason: reason, remedy: remedy)
    }

    private static func sample(_ value: String, reason: String) -> Broken {
        let remedy = "a number from 0 to 1"
        return Broken("[tracing]\nsample = \(value)", line: 2, key: "tracing.sample", reason: reason, remedy: remedy)
    }
}

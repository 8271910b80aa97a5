/// What a collector is sent: OpenTelemetry's `ExportTraceServiceRequest` in its encoding as JSON (opentelemetry-proto,
/// trace.proto; "OTLP Specification", JSON Protobuf Encoding): ids in hexadecimal, enumerations as numbers, and integers of
/// 64 bits as texts. Only the fields that weft sets.
struct OTLPRequest: Encodable, Equatable {
    var resourceSpans: [ResourceSpans]

    /// The spans that one service speaks for.
    struct ResourceSpans: Encodable, Equatable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }

    struct Resource: Encodable, Equatable, Hashable {
        var attributes: [OTLPAttribute]
    }

    struct ScopeSpans: Encodable, Equatable {
        var scope: Scope
        var spans: [OTLPSpan]
    }

    struct Scope: Encodable, Equatable {
        var name: String
        var version: String
    }
}

struct OTLPSpan: Encodable, Equatable {
    enum Kind: Int, Encodable {
        case server = 2
        case client = 3
    }

    struct Status: Encodable, Equatable {
        /// 2 is an error; nil leaves it unset, as whether all was well is the application's to say.
        var code: Int?
        var message: String?
    }

    var traceId: String
    var spanId: String
    /// Nil for the first span of a trace.
    var parentSpanId: String?
    var name: String
    var kind: Kind
    var startTimeUnixNano: String
    var endTimeUnixNano: String
    var attributes: [OTLPAttribute]
    var status: Status
}

struct OTLPAttribute: Encodable, Hashable {
    struct Value: Encodable, Hashable {
        var stringValue: String?
        var intValue: String?
    }

    let key: String
    let value: Value

    init(_ key: String, _ text: String) { (self.key, value) = (key, Value(stringValue: text)) }

    init(_ key: String, _ number: Int) { (self.key, value) = (key, Value(intValue: "\(number)")) }
}

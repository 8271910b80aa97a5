/// Answers about requests.
extension Answers {
    private static func numbers(_ requests: Int, failures: Int, success: Double?, p50: Double? = 1.24) -> String {
        let success = success.map { "\($0)" } ?? "null"
        let p50 = p50.map { "\($0)" } ?? "null"
        return #"{"requests":\#(requests),"failures":\#(failures),"requestsPerSecond":\#(Double(requests) / 10),"#
            + #""successRate":\#(success),"p50Milliseconds":\#(p50),"p90Milliseconds":9.96,"p99Milliseconds":1250.4}"#
    }

    private static func row(_ source: String, _ side: String, _ effective: String, _ actual: String) -> String {
        #"{"source":"\#(source)","sourceTenant":"system","destination":"db-1","service":"api","protocol":"http/1.1","#
            + #""perspective":"\#(side)","windowSeconds":10,"effective":\#(effective),"actual":\#(actual)}"#
    }

    static let stat =
        "["
        + [
            row(
                "web",
                "caller",
                numbers(12_345, failures: 1, success: 0.99992),
                numbers(12_400, failures: 56, success: 0.99548)
            ),
            row("cron.service", "callee", numbers(7, failures: 7, success: 0), numbers(7, failures: 7, success: 0)),
            row(
                "a-unit-with-a-very-long-name.service",
                "callee",
                numbers(50, failures: 4, success: 0.92),
                numbers(50, failures: 4, success: 0.92)
            ),
        ].joined(separator: ",") + "]"

    private static func decision(_ request: String, rule: String? = nil) -> String {
        let rule = rule.map { #""rule":"\#($0)","# } ?? ""
        return #"{"id":"1f","time":"2026-11-23T10:00:00.000Z","source":{"unit":"web.service","uid":33,"#
            + #""tenant":"system","address":"10.0.0.5:4000"},"destination":"240.1.2.3:80","service":"api","#
            + #""path":"peer","security":"mtls","identity":{"source":"spiffe://prod/ns/system/sa/web"},"#
            + #""protocol":"http/1.1",\#(rule)"detail":"db-1: refused","request":\#(request),"bytesOut":120,"bytesIn":300,"#
            + #""durationSeconds":0.0123,"ending":"reset","side":"weft"}"#
    }

    static let failedRequest = decision(
        #"{"connection":"1e","line":"GET /orders","status":503,"flag":"connect-failed","tries":3,"#
            + #""endpoint":"10.0.0.9:80"}"#
    )
    static let requestDecisions =
        "[\(failedRequest),"
        + decision(#"{"connection":"1e","line":"POST /a\u001b[2J","tries":1}"#, rule: "allow of api on db-1") + "]"
}

internal import Hummingbird
internal import WeftCore

extension TapFilter {
    private static let textBytesMax = 256

    /// What `GET /v1/tap?...` asks for.
    init(_ request: Request) throws {
        self.init()
        let query = request.uri.queryParameters
        source = try Self.text("source", query["source"].map(String.init))
        service = try Self.text("service", query["service"].map(String.init))
        path = try Self.text("path", query["path"].map(String.init))
        statuses = try query["status"].map { try Self.statuses(String($0)) }
        latencyMin = try query["slower"].map { try Self.milliseconds(String($0)) }
    }

    private static func text(_ name: String, _ text: String?) throws -> String? {
        guard let text else { return nil }
        guard (1...textBytesMax).contains(text.utf8.count) else {
            throw failure("\(name)=\(text.prefix(32)) is not 1 to \(textBytesMax) bytes long")
        }
        return text
    }

    /// `503`, or `5xx` for all that begin with 5.
    private static func statuses(_ text: String) throws -> ClosedRange<UInt16> {
        if text.utf8.count == 3, text.hasSuffix("xx"), let first = UInt16(text.prefix(1)), (1...5).contains(first) {
            return first * 100...first * 100 + 99
        }
        guard let status = UInt16(text), (100...599).contains(status) else {
            throw failure("status=\(text.prefix(32)) is no status, such as 503, and no class of them, such as 5xx")
        }
        return status...status
    }

    private static func milliseconds(_ text: String) throws -> Duration {
        guard let number = Int(text), (0...3_600_000).contains(number) else {
            throw failure("slower=\(text.prefix(32)) is not a number of milliseconds up to an hour")
        }
        return .milliseconds(number)
    }

    private static func failure(_ text: String) -> APIFailure {
        APIFailure(.badRequest, code: "bad-parameter", text: text, next: "weft tap --help")
    }
}

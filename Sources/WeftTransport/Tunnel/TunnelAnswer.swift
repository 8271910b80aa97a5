internal import NIOHPACK
internal import WeftCore

/// The answer to CONNECT: exactly 200 and open, or a reason.
struct TunnelAnswer {
    /// Which rule denied, and where: so that the caller's side can say `denied by RULE on NODE`.
    static let ruleHeader = "weft-denied-by"
    static let nodeHeader = "weft-node"
    /// Why a stream was not carried, in a few words.
    static let reasonHeader = "weft-reason"
    /// No text of a peer that is longer is kept.
    private static let textMax = 256

    static let success: HPACKHeaders = [":status": "200"]

    let status: Int
    private(set) var rule: String?
    private(set) var node: String?
    private(set) var reason: String?
    private var isEnd = true

    /// Denied by the rules.
    static func denied(by rule: String, on node: String?) -> TunnelAnswer {
        TunnelAnswer(status: 401, rule: rule, node: node)
    }

    /// Refused for what the request is, or for what became of it.
    static func refused(_ status: Int, _ reason: String) -> TunnelAnswer {
        TunnelAnswer(status: status, reason: reason)
    }

    private init(status: Int, rule: String? = nil, node: String? = nil, reason: String? = nil) {
        self.status = status
        self.rule = rule
        self.node = node
        self.reason = reason
    }

    /// The application was not reached.
    init(_ ending: Ending) { self.init(status: 503, reason: ending.rawValue) }

    /// Reads a peer's answer.
    init(_ headers: HPACKHeaders, isEnd: Bool) {
        self.init(
            status: headers.first(name: ":status").flatMap { Int($0) } ?? 0,
            rule: Self.text(headers, Self.ruleHeader),
            node: Self.text(headers, Self.nodeHeader),
            reason: Self.text(headers, Self.reasonHeader)
        )
        self.isEnd = isEnd
    }

    var headers: HPACKHeaders {
        var headers: HPACKHeaders = [":status": "\(status)"]
        if let rule { headers.add(name: Self.ruleHeader, value: Self.clean(rule)) }
        if let node { headers.add(name: Self.nodeHeader, value: Self.clean(node)) }
        if let reason { headers.add(name: Self.reasonHeader, value: Self.clean(reason)) }
        return headers
    }

    /// Nil for success: only 200 without END_STREAM is (hbone.md section 5).
    var failure: TunnelFailure? {
        switch status {
        case 200: isEnd ? .refused(status: 200, because: "the stream ended with the answer") : nil
        case 401, 403: .denied(rule: rule, node: node)
        default: .refused(status: status, because: reason)
        }
    }

    private static func text(_ headers: HPACKHeaders, _ name: String) -> String? {
        headers.first(name: name).map { clean(String($0.prefix(textMax))) }
    }

    /// Printable ASCII, shortened: what a peer writes may end in a log or on a terminal.
    private static func clean(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(textMax).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") },
            as: UTF8.self
        )
    }
}

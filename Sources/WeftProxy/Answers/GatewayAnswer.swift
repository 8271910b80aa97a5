package import WeftCore

/// An answer that weft gives itself, in place of the application: why, in words, and where to read the rest.
///
/// Every form carries `server: weft`, the flag in `weft-flags` and the decision's id in `weft-decision`, so that a client
/// can tell weft's 503 from the application's, and `weft decisions ID` tells more. `+HTTP1` gives the bytes, `+Fields` the
/// fields for HTTP/2 and gRPC.
package struct GatewayAnswer: Hashable, Sendable {
    /// Longer reasons are cut: a client needs a sentence.
    package static let reasonBytesMax = 200

    package let flag: ResponseFlag
    package let decision: ConnectionID
    /// When it makes sense to ask again; nil when weft cannot tell.
    package let retryAfter: Duration?
    /// Printable ASCII, so that it can go into a field as it is.
    package let reason: String

    /// - Parameter reason: more exact than the flag's own, such as "the service api has no endpoint". May hold text from
    ///   elsewhere: what is not printable ASCII becomes `?`.
    package init(_ flag: ResponseFlag, decision: ConnectionID, reason: String? = nil, retryAfter: Duration? = nil) {
        self.flag = flag
        self.decision = decision
        self.retryAfter = retryAfter
        let bytes = (reason ?? flag.reason).utf8.prefix(Self.reasonBytesMax).map { byte in
            (0x20...0x7e).contains(byte) ? byte : UInt8(ascii: "?")
        }
        self.reason = String(decoding: bytes, as: UTF8.self)
    }

    /// `retry-after` in whole seconds (RFC 9110, section 10.2.3). At least 1.
    var retryAfterSeconds: Int64? { retryAfter.map { max(1, $0.rounded(upTo: 1_000_000_000)) } }

    /// The text for people.
    var body: String { "weft: \(reason) (\(flag.rawValue), decision \(decision))\n" }
}

extension Duration {
    /// In units of so many nanoseconds, rounded up: a client that waits so long is not refused for having come too early.
    func rounded(upTo unit: Int64) -> Int64 {
        let (quotient, rest) = wholeNanoseconds.quotientAndRemainder(dividingBy: unit)
        return quotient + (rest > 0 ? 1 : 0)
    }
}

package import WeftCore

extension GatewayAnswer {
    /// What the answer depends on besides the reason.
    package struct Request: Hashable, Sendable {
        /// HEAD gets the length of the body that GET would get, and no body (RFC 9110, section 9.3.2).
        package var isHead: Bool
        /// The connection ends after the answer, whatever the flag says: the client asked for it, speaks HTTP/1.0, or the
        /// rest of its request will not be read.
        package var closes: Bool
        /// For `date` (RFC 9110, section 6.6.1).
        package var date: WallTime

        package init(isHead: Bool = false, closes: Bool = false, date: WallTime) {
            self.isHead = isHead
            self.closes = closes
            self.date = date
        }
    }

    /// Whether the connection has to be closed behind these bytes, as they say.
    package func closes(_ request: Request) -> Bool { request.closes || flag.closesConnection }

    /// The whole answer as bytes of HTTP/1.1; nil when the client is gone and nobody reads it.
    package func http1(to request: Request) -> [UInt8]? {
        guard let status = flag.httpStatus else { return nil }
        let body = body
        var text =
            "HTTP/1.1 \(status) \(reasonPhrase(of: status))\r\nserver: weft\r\ndate: \(request.date.httpDate)\r\n"
        text += "content-type: text/plain; charset=utf-8\r\ncontent-length: \(body.utf8.count)\r\n"
        text += "weft-flags: \(flag.rawValue)\r\nweft-decision: \(decision)\r\n"
        if let seconds = retryAfterSeconds { text += "retry-after: \(seconds)\r\n" }
        if closes(request) { text += "connection: close\r\n" }
        text += "\r\n"
        if !request.isHead { text += body }
        return Array(text.utf8)
    }
}

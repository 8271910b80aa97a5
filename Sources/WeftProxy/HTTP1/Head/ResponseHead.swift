/// What is needed of a response's head, which is forwarded as it came. Slices count from its first byte.
package struct ResponseHead: MessageHead {
    package var leading: Int { 0 }
    package let length: Int
    package let fieldsStart: Int
    package let status: UInt16
    package let version: HTTPVersion
    private let facts: FieldFacts

    init(status: UInt16, version: HTTPVersion, fieldsStart: Int, length: Int, facts: FieldFacts) {
        (self.status, self.version, self.facts) = (status, version, facts)
        (self.fieldsStart, self.length) = (fieldsStart, length)
    }

    /// 100 to 199, of which all but 101 are followed by another response to the same request (RFC 9110, section 15.2).
    package var isInterim: Bool { status < 200 && status != 101 }

    /// Whether the upstream wants its connection to go on behind this response, which it cannot when the body ends with
    /// the connection.
    package var persists: Bool { facts.persists(version: version) }

    /// Whether the upstream says that its connection goes on, rather than leave it to the version.
    package var saysKeepAlive: Bool { facts.seen.contains(.keepAlive) }

    /// Whether a gateway or a server without time answers, so that another one may do better (RFC 9110, sections 15.6.3
    /// to 15.6.5).
    package var isGatewayError: Bool { 502...504 ~= status }

    /// The protocols in `Upgrade`; empty when there is none.
    package var upgrade: HeadSlice { facts.upgrade }

    /// Whether the response turns the connection into a tunnel (RFC 9110, section 9.3.6).
    package func opensTunnel(answering method: RequestMethod) -> Bool { method == .connect && status / 100 == 2 }

    /// Where the body of a response to such a request ends (RFC 9112, section 6.3). Throws for a body that a sender must
    /// not announce, and that some recipients would wait for: with 1xx, 204 and an opened tunnel.
    package func framing(answering method: RequestMethod) throws(FramingError) -> BodyFraming {
        let announced = facts.framing
        if status < 200 || status == 204 || opensTunnel(answering: method) {
            guard announced ?? .empty == .empty else { throw .unexpectedBody }
            return .empty
        }
        if method == .head || status == 304 { return .empty }
        return announced ?? .untilClose
    }
}

internal import WeftCore
internal import WeftProxy

/// One end's view of a request, with the service that it speaks for.
struct Span: Equatable {
    let resource: OTLPRequest.Resource
    let span: OTLPSpan

    /// The spans that a request is reported as: its caller's, the service's, or both; none for one that is not.
    static func all(of decision: Decision, node: String) -> [Span] {
        guard let request = decision.request, let trace = request.trace else { return [] }
        let source = SpanSource(decision: decision, request: request, trace: trace, node: node)
        return [
            trace.callerSpan.map { source.span($0, parent: trace.parent, as: .client) },
            trace.calleeSpan.map { source.span($0, parent: trace.callerSpan ?? trace.parent, as: .server) },
        ].compactMap { $0 }
    }
}

/// What spans are made of, by OpenTelemetry's conventions ("Semantic conventions for HTTP spans", 1.23 and later).
private struct SpanSource {
    let decision: Decision
    let request: RequestFacts
    let trace: TraceFacts
    let node: String

    func span(_ id: UInt64, parent: UInt64?, as kind: OTLPSpan.Kind) -> Span {
        Span(
            resource: resource(of: kind),
            span: OTLPSpan(
                traceId: hex(trace.traceHigh) + hex(trace.traceLow),
                spanId: hex(id),
                parentSpanId: parent.map(hex),
                name: method.known ?? "HTTP",
                kind: kind,
                startTimeUnixNano: "\(trace.began)",
                endTimeUnixNano: "\(trace.began + decision.duration.wholeNanoseconds)",
                attributes: attributes(of: kind),
                status: status(of: kind)
            )
        )
    }

    private func resource(of kind: OTLPSpan.Kind) -> OTLPRequest.Resource {
        let identity = kind == .client ? decision.identity.source : decision.identity.destination
        let name: String? =
            kind == .client ? decision.source.workload?.displayName : decision.service?.text
        return OTLPRequest.Resource(
            attributes: [OTLPAttribute("service.name", identity?.account ?? name ?? "unknown_service")]
                + (identity.map { [OTLPAttribute("service.namespace", $0.namespace)] } ?? [])
                + [OTLPAttribute("host.name", node)]
        )
    }

    // MARK: Attributes

    private func attributes(of kind: OTLPSpan.Kind) -> [OTLPAttribute] {
        let server = decision.destination.address
        var all = [OTLPAttribute("http.request.method", method.known ?? "_OTHER")]
        if method.known == nil, !method.text.isEmpty {
            all.append(OTLPAttribute("http.request.method_original", method.text))
        }
        all += [OTLPAttribute("url.scheme", "http"), OTLPAttribute("url.path", path)]
        all += [OTLPAttribute("server.address", "\(server.ip)"), OTLPAttribute("server.port", Int(server.port))]
        all.append(OTLPAttribute("network.protocol.name", "http"))
        if let version { all.append(OTLPAttribute("network.protocol.version", version)) }
        if let status = request.status { all.append(OTLPAttribute("http.response.status_code", Int(status))) }
        all += kind == .client ? ofClient(server) : [OTLPAttribute("client.address", "\(client.ip)")]
        if let error = error(of: kind) { all.append(OTLPAttribute("error.type", error)) }
        if let flag = request.flag { all.append(OTLPAttribute("weft.flag", flag)) }
        return all + [OTLPAttribute("weft.decision", "\(decision.id)")]
    }

    private func ofClient(_ server: NetworkAddress) -> [OTLPAttribute] {
        var all = [OTLPAttribute("url.full", "http://\(server)\(path)")]
        if let service = decision.service { all.append(OTLPAttribute("peer.service", service.text)) }
        if let peer = request.target {
            all += [
                OTLPAttribute("network.peer.address", "\(peer.ip)"), OTLPAttribute("network.peer.port", Int(peer.port)),
            ]
        }
        if request.tries > 1 { all.append(OTLPAttribute("http.request.resend_count", request.tries - 1)) }
        return all
    }

    private var client: NetworkAddress { decision.source.address.address }

    private var path: String {
        guard let space = request.line.firstIndex(of: " ") else { return "" }
        return String(request.line[request.line.index(after: space)...])
    }

    /// `1.1` or `2`.
    private var version: String? {
        decision.wire.flatMap { wire in wire.hasPrefix("http/") ? String(wire.dropFirst("http/".count)) : nil }
    }

    /// As it came, and by the names of RFC 9110 and 5789; others are no names for spans, as there is no end of them.
    private var method: (text: String, known: String?) {
        let text = String(request.line.prefix { $0 != " " })
        let names: Set = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
        return (text, names.contains(text) ? text : nil)
    }

    // MARK: Errors

    private func status(of kind: OTLPSpan.Kind) -> OTLPSpan.Status {
        error(of: kind) == nil ? OTLPSpan.Status() : OTLPSpan.Status(code: 2, message: decision.detail)
    }

    /// weft's flag, or the status. The server is not at fault for what its clients did wrong.
    private func error(of kind: OTLPSpan.Kind) -> String? {
        if let flag = request.flag {
            let isClientFault = ResponseFlag(rawValue: flag)?.isClientFault ?? false
            return kind == .server && isClientFault ? nil : flag
        }
        guard let status = request.status else { return "no-response" }
        return status >= (kind == .client ? 400 : 500) ? "\(status)" : nil
    }
}

/// Sixteen digits.
private func hex(_ id: UInt64) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

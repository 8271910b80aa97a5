@testable import WeftGossip

/// Our decoded messages in the form in which `vectors.json` says what they mean.
extension WireJSON {
    static func hex(_ bytes: [UInt8]) -> WireJSON { .object(["hex": .string(bytes.hex)]) }

    /// Printable ASCII as text, anything else as hex; nil as null.
    static func bytes(_ bytes: [UInt8]?) -> WireJSON {
        guard let bytes else { return .null }
        return bytes.allSatisfy { (0x20...0x7e).contains($0) }
            ? .string(String(decoding: bytes, as: UTF8.self)) : hex(bytes)
    }

    static func name(_ name: MemberName) -> WireJSON { bytes(name.bytes) }

    static func count(_ value: some BinaryInteger) -> WireJSON { .number(Double(value)) }

    static func tags(_ tags: Tags) -> WireJSON {
        .object(Dictionary(uniqueKeysWithValues: tags.sorted.map { ($0.name, .string($0.value)) }))
    }

    static func meta(_ meta: [UInt8]) throws -> WireJSON {
        .object(["magic": 255, "tags": tags(try Tags(meta: meta))])
    }

    static func versions(_ versions: ProtocolVersions?) -> WireJSON {
        versions.map { .array($0.bytes.map(count)) } ?? .null
    }

    private static func source(_ source: ProbeSource?) -> [String: WireJSON] {
        guard let source else { return [:] }
        return [
            "SourceAddr": hex(source.address.bytes), "SourcePort": count(source.address.port),
            "SourceNode": name(source.node),
        ]
    }

    private static func message(_ type: String, _ body: [String: WireJSON]) -> WireJSON {
        .object(["type": .string(type), "body": .object(body)])
    }

    static func ping(_ ping: Ping) -> WireJSON {
        message(
            "ping",
            ["Node": name(ping.node), "SeqNo": count(ping.sequence.value)].merging(source(ping.source)) { $1 }
        )
    }

    static func ack(_ ack: Ack) throws -> WireJSON {
        var payload = WireJSON.bytes(ack.payload)
        if let bytes = ack.payload { payload = coordinate(try CoordinatePayload(payload: bytes)) }
        return message("ackResp", ["Payload": payload, "SeqNo": count(ack.sequence.value)])
    }

    private static func coordinate(_ coordinate: CoordinatePayload) -> WireJSON {
        .object([
            "version": 1,
            "coordinate": .object([
                "Adjustment": .number(coordinate.adjustment), "Error": .number(coordinate.error),
                "Height": .number(coordinate.height), "Vec": .array(coordinate.vector.map { .number($0) }),
            ]),
        ])
    }

    static func message(_ message: MemberlistMessage) throws -> WireJSON {
        switch message {
        case .ping(let ping): return .ping(ping)
        case .ack(let ack): return try .ack(ack)
        case .nack(let nack): return self.message("nackResp", ["SeqNo": count(nack.sequence.value)])
        case .user(let user): return self.message("user", try serf(user.content))
        case .suspect(let suspect):
            return claim("suspect", from: suspect.from, suspect.incarnation, about: suspect.node)
        case .dead(let dead): return claim("dead", from: dead.from, dead.incarnation, about: dead.node)
        case .indirectPing(let ping):
            let fields: [String: WireJSON] = [
                "Nack": .bool(ping.wantsNack), "Node": name(ping.node), "Port": count(ping.target.port),
                "SeqNo": count(ping.sequence.value), "Target": hex(ping.target.bytes),
            ]
            return self.message("indirectPing", fields.merging(source(ping.source)) { $1 })
        case .alive(let alive):
            return self.message(
                "alive",
                [
                    "Addr": hex(alive.address.bytes), "Incarnation": count(alive.incarnation.value),
                    "Meta": try meta(alive.meta), "Node": name(alive.node), "Port": count(alive.address.port),
                    "Vsn": versions(alive.versions),
                ]
            )
        }
    }

    private static func claim(
        _ type: String,
        from: MemberName,
        _ incarnation: Incarnation,
        about node: MemberName
    ) -> WireJSON {
        message(type, ["From": name(from), "Incarnation": count(incarnation.value), "Node": name(node)])
    }

    static func node(_ node: PushNodeState) throws -> WireJSON {
        .object([
            "Addr": hex(node.address.bytes), "Incarnation": count(node.incarnation.value), "Meta": try meta(node.meta),
            "Name": name(node.name), "Port": count(node.address.port), "State": count(node.state.rawValue),
            "Vsn": versions(node.versions),
        ])
    }
}

extension WireJSON {
    /// The keys `serf` and `body` (and `header`, `inner` of a relay).
    static func serf(_ message: SerfMessage) throws -> [String: WireJSON] {
        switch message {
        case .join(let intent): return serf("join", ["LTime": count(intent.time.value), "Node": name(intent.node)])
        case .leave(let intent):
            return serf(
                "leave",
                ["LTime": count(intent.time.value), "Node": name(intent.node), "Prune": .bool(intent.prune)]
            )
        case .userEvent(let event):
            return serf(
                "userEvent",
                [
                    "CC": .bool(event.coalesce), "LTime": count(event.time.value), "Name": .string(event.name),
                    "Payload": bytes(event.payload),
                ]
            )
        case .query(let query): return serf("query", try fields(query))
        case .queryResponse(let response):
            return serf(
                "queryResponse",
                [
                    "Flags": count(response.flags), "From": name(response.from), "ID": count(response.id.value),
                    "LTime": count(response.time.value), "Payload": try payload(response.payload),
                ]
            )
        case .relay(let relay):
            let address: WireJSON = .object([
                "IP": hex(relay.destination.bytes), "Port": count(relay.destination.port), "Zone": "",
            ])
            let inner = WireJSON.object(try serf(try SerfMessage(decoding: relay.inner[...])))
            return [
                "serf": "relay", "inner": inner,
                "header": .object(["DestAddr": address, "DestName": name(relay.destinationName)]),
            ]
        case .direct(let bytes): return ["serf": "direct", "body": hex(bytes)]
        }
    }

    private static func serf(_ type: String, _ body: [String: WireJSON]) -> [String: WireJSON] {
        ["serf": .string(type), "body": .object(body)]
    }

    private static func fields(_ query: QueryMessage) throws -> [String: WireJSON] {
        [
            "Addr": hex(query.source.bytes),
            "Filters": query.filters.isEmpty ? .null : .array(query.filters.map(filter)),
            "Flags": count(query.flags.rawValue), "ID": count(query.id.value), "LTime": count(query.time.value),
            "Name": .string(query.name), "Payload": try payload(query.payload), "Port": count(query.source.port),
            "RelayFactor": count(query.relayFactor), "SourceNode": name(query.sourceNode),
            "Timeout": count(query.timeoutNanoseconds),
        ]
    }

    private static func filter(_ filter: QueryFilter) -> WireJSON {
        switch filter {
        case .nodes(let names): .object(["type": 0, "body": .array(names.map(name))])
        case .tag(let tag, let expression):
            .object(["type": 1, "body": .object(["Expr": .string(expression), "Tag": .string(tag)])])
        case .unsupported(let bytes): hex(bytes)
        }
    }

    /// A query's or response's payload: one of Serf's own structures, or bytes.
    private static func payload(_ payload: [UInt8]?) throws -> WireJSON {
        guard let payload, let type = payload.first.flatMap(SerfType.init) else { return bytes(payload) }
        switch type {
        case .keyRequest: return .object(serf("keyRequest", ["Key": bytes(try KeyRequest(payload: payload).key)]))
        case .keyResponse: return .object(serf("keyResponse", fields(try KeyResponse(payload: payload))))
        case .conflictResponse:
            return .object(serf("conflictResponse", try ConflictResponse.decode(payload: payload).map(fields) ?? [:]))
        default: return bytes(payload)
        }
    }

    private static func fields(_ response: KeyResponse) -> [String: WireJSON] {
        [
            "Keys": response.keys.isEmpty ? .null : .array(response.keys.map { .string($0) }),
            "Message": .string(response.message), "PrimaryKey": .string(response.primaryKey),
            "Result": .bool(response.succeeded),
        ]
    }

    private static func fields(_ response: ConflictResponse) -> [String: WireJSON] {
        [
            "Addr": hex(response.address.bytes), "Port": count(response.address.port), "Name": name(response.name),
            "Status": count(response.status), "Tags": tags(response.tags),
            "ProtocolMin": count(response.versions.protocolMin), "ProtocolMax": count(response.versions.protocolMax),
            "ProtocolCur": count(response.versions.protocolCurrent),
            "DelegateMin": count(response.versions.delegateMin), "DelegateMax": count(response.versions.delegateMax),
            "DelegateCur": count(response.versions.delegateCurrent),
        ]
    }

    /// The user state, but for the length of the event ring and the index of its entries, which we do not keep.
    static func userState(_ state: UserState) -> WireJSON {
        let serf = state.serf
        let events = serf.events.map { slot in
            WireJSON.object([
                "LTime": count(slot.time.value),
                "Events": .array(
                    slot.events.map { .object(["Name": .string($0.name), "Payload": bytes($0.payload)]) }
                ),
            ])
        }
        let times = serf.statusTimes.map { ($0.node.description, count($0.time.value)) }
        return .object([
            "EventLTime": count(serf.eventTime.value), "Events": .array(events), "LTime": count(serf.time.value),
            "LeftMembers": .array(serf.leftMembers.map(name)), "QueryLTime": count(serf.queryTime.value),
            "StatusLTimes": .object(Dictionary(uniqueKeysWithValues: times)),
        ])
    }
}

extension WireJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
}

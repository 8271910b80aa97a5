extension UserState {
    /// Says that the bytes behind Serf's map are weft's section.
    private static let magic = Array("weft".utf8)

    /// Decodes the user state of a push/pull: the type byte 2, Serf's map, and the section if there is one.
    package init(decoding bytes: [UInt8]) throws(DecodeError) {
        guard let type = bytes.first else { throw .truncated(at: 0) }
        guard type == SerfType.pushPull.rawValue else { throw .unknownType(type) }
        var reader = MessagePackReader(bytes.dropFirst())
        let serf = try SerfPushPull(from: &reader)
        let hasSection = reader.rest.starts(with: Self.magic)
        self.init(serf: serf, section: hasSection ? Array(reader.rest.dropFirst(Self.magic.count)) : nil)
    }

    /// The user state's bytes.
    package func encoded() -> [UInt8] {
        let bytes = serf.encoded(type: SerfType.pushPull.rawValue)
        guard let section else { return bytes }
        return bytes + Self.magic + section
    }
}

extension SerfPushPull: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case statusTimes = "StatusLTimes"
        case leftMembers = "LeftMembers"
        case eventTime = "EventLTime"
        case events = "Events"
        case queryTime = "QueryLTime"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, statusTimes: [], leftMembers: [], eventTime: 0, events: [], queryTime: 0)
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .statusTimes: statusTimes = try reader.readStatusTimes()
            case .leftMembers: leftMembers = try reader.readLeftMembers()
            case .eventTime: eventTime = try reader.readLamportTime()
            case .events: events = try reader.readEventSlots()
            case .queryTime: queryTime = try reader.readLamportTime()
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(6)
        writer.writeKey(Field.eventTime)
        writer.write(eventTime.value)
        writer.writeKey(Field.events)
        writer.writeArrayHeader(events.count)
        for slot in events { slot.write(to: &writer) }
        writer.writeKey(Field.time)
        writer.write(time.value)
        writer.writeKey(Field.leftMembers)
        writer.writeArrayHeader(leftMembers.count)
        for name in leftMembers { writer.write(name) }
        writer.writeKey(Field.queryTime)
        writer.write(queryTime.value)
        writer.writeKey(Field.statusTimes)
        writer.writeMapHeader(statusTimes.count)
        for status in statusTimes {
            writer.write(status.node)
            writer.write(status.time.value)
        }
    }
}

extension SerfPushPull.EventSlot: WireStructure {
    private enum Field: String, WireField {
        case time = "LTime"
        case events = "Events"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(time: 0, events: [])
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .time: time = try reader.readLamportTime()
            case .events:
                events = []
                for _ in 0..<(try reader.readArrayHeader(atMost: WireLimits.events)) {
                    events.append(try SerfPushPull.Event(from: &reader))
                }
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2)
        writer.writeKey(Field.events)
        writer.writeArrayHeader(events.count)
        for event in events { event.write(to: &writer) }
        writer.writeKey(Field.time)
        writer.write(time.value)
    }
}

extension SerfPushPull.Event: WireStructure {
    private enum Field: String, WireField {
        case name = "Name"
        case payload = "Payload"
    }

    package init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init(name: "", payload: [])
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .name: name = try reader.readText(atMost: WireLimits.datagramSize)
            case .payload: payload = Array(try reader.readBytes(atMost: WireLimits.datagramSize) ?? [])
            }
        }
    }

    package func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2)
        writer.writeKey(Field.name)
        writer.write(name)
        writer.writeKey(Field.payload)
        writer.writeNilIfEmpty(payload)
    }
}

extension MessagePackReader {
    /// Names longer than we accept are left out, not an error: another member may have let them in.
    fileprivate mutating func readStatusTimes() throws(DecodeError) -> [SerfPushPull.StatusTime] {
        var times: [SerfPushPull.StatusTime] = []
        for _ in 0..<(try readMapHeader(atMost: WireLimits.pushPullNodes)) {
            let name = try readBytes(atMost: WireLimits.userStateSize) ?? []
            let time = try readLamportTime()
            guard name.count <= WireLimits.nameLength else { continue }
            times.append(SerfPushPull.StatusTime(node: MemberName(bytes: Array(name)), time: time))
        }
        return times
    }

    fileprivate mutating func readLeftMembers() throws(DecodeError) -> [MemberName] {
        var names: [MemberName] = []
        for _ in 0..<(try readArrayHeader(atMost: WireLimits.pushPullNodes)) {
            let name = try readBytes(atMost: WireLimits.userStateSize) ?? []
            guard name.count <= WireLimits.nameLength else { continue }
            names.append(MemberName(bytes: Array(name)))
        }
        return names
    }

    /// The filled slots of the ring, at most `WireLimits.events` events in all of them.
    fileprivate mutating func readEventSlots() throws(DecodeError) -> [SerfPushPull.EventSlot] {
        let start = position
        var slots: [SerfPushPull.EventSlot] = []
        var count = 0
        for _ in 0..<(try readArrayHeader(atMost: WireLimits.eventSlots)) where !readNil() {
            slots.append(try SerfPushPull.EventSlot(from: &self))
            count += slots.last?.events.count ?? 0
            guard count <= WireLimits.events else { throw .tooLong(at: start, limit: WireLimits.events) }
        }
        return slots
    }
}

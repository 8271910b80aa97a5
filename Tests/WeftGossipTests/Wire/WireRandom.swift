import WeftCore

@testable import WeftGossip

/// SplitMix64: the same seed gives the same numbers on every machine.
struct WireRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// Messages with every field drawn at random, lengths at the edges of msgpack's forms included.
extension WireRandom {
    mutating func count(_ limit: Int) -> Int { Int.random(in: 0...limit, using: &self) }

    mutating func flip() -> Bool { Bool.random(using: &self) }

    mutating func bytes(_ limit: Int) -> [UInt8] {
        let edges = [0, 1, 31, 32, 255, 256].filter { $0 <= limit }
        let length = flip() ? count(limit) : edges[count(edges.count - 1)]
        return (0..<length).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Of any size class: small numbers as often as large ones.
    mutating func number() -> UInt64 { next() >> UInt64(count(63)) }

    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: next()) >> UInt32(count(31)) }

    mutating func text(_ limit: Int) -> String {
        String((0..<count(limit)).map { _ in ["a", "Z", "7", "-", "é", "\u{1f600}"][count(5)] })
    }

    mutating func name() -> MemberName { MemberName(bytes: [UInt8(truncatingIfNeeded: next())] + bytes(254)) }

    mutating func names(_ limit: Int) -> [MemberName] { (0..<count(limit)).map { _ in name() } }

    mutating func address() -> MemberAddress {
        let raw = (0..<(flip() ? 4 : 16)).map { _ in UInt8(truncatingIfNeeded: next()) }
        let port = UInt16(truncatingIfNeeded: next() >> UInt64(count(15))) | 1
        return MemberAddress(bytes: raw, port: port) ?? MemberAddress(NetworkAddress(.loopbackV4, port: port))
    }

    mutating func time() -> LamportTime { LamportTime(number()) }

    mutating func versions() -> ProtocolVersions? {
        flip() ? ProtocolVersions(bytes: (0..<6).map { _ in UInt8(truncatingIfNeeded: next()) }) : nil
    }

    mutating func source() -> ProbeSource? { flip() ? ProbeSource(address: address(), node: name()) : nil }

    mutating func payload(_ limit: Int) -> [UInt8]? { flip() ? bytes(limit) : nil }

    mutating func tags() -> Tags { Tags((0..<count(20)).map { _ in (text(12), text(20)) }) }

    mutating func memberlistMessage() -> MemberlistMessage {
        switch count(7) {
        case 0: .ping(Ping(sequence: SequenceNumber(word()), node: name(), source: source()))
        case 1:
            .indirectPing(
                IndirectPing(
                    sequence: SequenceNumber(word()),
                    target: address(),
                    node: name(),
                    wantsNack: flip(),
                    source: source()
                )
            )
        case 2: .ack(Ack(sequence: SequenceNumber(word()), payload: payload(300)))
        case 3: .nack(Nack(sequence: SequenceNumber(word())))
        case 4: .suspect(Suspect(incarnation: Incarnation(word()), node: name(), from: name()))
        case 5: .dead(Dead(incarnation: Incarnation(word()), node: name(), from: name()))
        case 6:
            .alive(
                Alive(
                    incarnation: Incarnation(word()),
                    node: name(),
                    address: address(),
                    meta: bytes(512),
                    versions: versions()
                )
            )
        default: .user(UserMessage(serfMessage()))
        }
    }

    mutating func serfMessage() -> SerfMessage {
        switch count(6) {
        case 0: .join(JoinIntent(time: time(), node: name()))
        case 1: .leave(LeaveIntent(time: time(), node: name(), prune: flip()))
        case 2: .userEvent(UserEventMessage(time: time(), name: text(40), payload: bytes(512), coalesce: flip()))
        case 3: .query(query())
        case 4:
            .queryResponse(
                QueryResponseMessage(
                    time: time(),
                    id: QueryID(word()),
                    from: name(),
                    flags: word(),
                    payload: payload(800)
                )
            )
        case 5: .relay(RelayMessage(destination: address(), destinationName: name(), inner: [5] + bytes(300)))
        default: .direct(bytes(600))
        }
    }

    mutating func query() -> QueryMessage {
        let filters = (0..<count(3)).map { _ in filter() }
        return QueryMessage(
            time: time(),
            id: QueryID(word()),
            source: address(),
            sourceNode: name(),
            filters: filters,
            flags: QueryMessage.Flags(rawValue: word()),
            relayFactor: UInt8(truncatingIfNeeded: next()),
            timeoutNanoseconds: Int64(bitPattern: next()) >> Int64(count(63)),
            name: text(30),
            payload: payload(300)
        )
    }

    mutating func filter() -> QueryFilter {
        switch count(2) {
        case 0: .nodes(names(4))
        case 1: .tag(name: text(10), expression: text(10))
        default: .unsupported([UInt8(2 + count(200))] + bytes(20))
        }
    }

    mutating func userState() -> UserState {
        let slots = (0..<count(5)).map { _ in
            SerfPushPull.EventSlot(
                time: time(),
                events: (0..<count(3)).map { _ in SerfPushPull.Event(name: text(20), payload: bytes(100)) }
            )
        }
        let serf = SerfPushPull(
            time: time(),
            statusTimes: (0..<count(40)).map { _ in SerfPushPull.StatusTime(node: name(), time: time()) },
            leftMembers: names(20),
            eventTime: time(),
            events: slots,
            queryTime: time()
        )
        return UserState(serf: serf, section: payload(2000))
    }

    mutating func pushPull() -> PushPull {
        let nodes = (0..<count(40)).map { _ in
            PushNodeState(
                name: name(),
                address: address(),
                meta: bytes(512),
                incarnation: Incarnation(word()),
                state: PushNodeState.State.allCases[count(3)],
                versions: versions()
            )
        }
        return PushPull(join: flip(), nodes: nodes, userState: flip() ? userState().encoded() : [])
    }

    mutating func streamMessage() -> StreamMessage {
        switch count(6) {
        case 0: .ping(Ping(sequence: SequenceNumber(word()), node: name(), source: source()))
        case 1: .ack(Ack(sequence: SequenceNumber(word()), payload: payload(300)))
        case 2: .user(UserMessage(serfMessage()))
        case 3: .error(StreamError(text: text(200)))
        default: .pushPull(pushPull())
        }
    }
}

internal import WeftCore

extension Statement {
    /// The statement's own expressions, without its dependencies; capture.md section 2.2 is the source.
    var expressions: [Expression] {
        switch self {
        case .tcp, .family:
            []
        case .mark(let mark):
            [.meta(.mark, into: .first), .compare(.first, .equal, hostBytes(mark))]
        case .notTCP:
            [.meta(.transportProtocol, into: .first), .compare(.first, .notEqual, [6])]
        case .inputIsLoopback:
            // `lo` has index 1 in every network namespace.
            [.meta(.inputInterface, into: .first), .compare(.first, .equal, hostBytes(UInt32(1)))]
        case .outputIsLoopback:
            [.meta(.outputInterface, into: .first), .compare(.first, .equal, hostBytes(UInt32(1)))]
        case .inputIn(let set):
            [.meta(.inputInterfaceName, into: .first), .lookup(.first, set: set, inverted: false)]
        case .userIn(let set):
            [.meta(.user, into: .first), .lookup(.first, set: set, inverted: false)]
        case .userNotIn(let set):
            [.meta(.user, into: .first), .lookup(.first, set: set, inverted: true)]
        case .cgroupIn(let set, let level):
            [.socket(.cgroup(level: level), into: .first), .lookup(.first, set: set, inverted: false)]
        case .notTransparent:
            [.socket(.transparent, into: .first), .compare(.first, .equal, [0])]
        case .opening, .port, .portIn, .portNotIn, .destination, .destinationNot, .source, .destinationIn, .endpointIn,
            .destinationIsNotLocal:
            packetExpressions
        case .invalidState, .replyDirection, .connectionMark:
            conntrackExpressions
        case .counter, .verdict, .redirect, .destinationNAT, .transparentProxy, .rejectWithReset, .setMark,
            .setConnectionMark:
            actionExpressions
        }
    }

    private var packetExpressions: [Expression] {
        switch self {
        case .opening(let positive):
            [
                .payload(.transport, offset: 13, length: 1, into: .first), .mask(.first, with: [0x17]),
                .compare(.first, positive ? .equal : .notEqual, [0x02]),
            ]
        case .port(let port):
            [Self.loadPort(into: .first), .compare(.first, .equal, networkBytes(port))]
        case .portIn(let set):
            [Self.loadPort(into: .first), .lookup(.first, set: set, inverted: false)]
        case .portNotIn(let set):
            [Self.loadPort(into: .first), .lookup(.first, set: set, inverted: true)]
        case .destination(let prefix):
            Self.match(prefix, at: .destination, .equal)
        case .destinationNot(let prefix):
            Self.match(prefix, at: .destination, .notEqual)
        case .source(let prefix):
            Self.match(prefix, at: .source, .equal)
        case .destinationIn(let family, let set):
            [AddressField.destination.load(family, into: .first), .lookup(.first, set: set, inverted: false)]
        case .endpointIn(let family, let set):
            // The address fills one or four words of 4 bytes, the port the next.
            [
                AddressField.destination.load(family, into: .word(0)),
                Self.loadPort(into: .word(family == .v4 ? 1 : 4)), .lookup(.word(0), set: set, inverted: false),
            ]
        case .destinationIsNotLocal:
            // RTN_LOCAL
            [.destinationKind(into: .first), .compare(.first, .notEqual, hostBytes(UInt32(2)))]
        default: []
        }
    }

    private var conntrackExpressions: [Expression] {
        switch self {
        case .invalidState:
            // NF_CT_STATE_INVALID_BIT
            [
                .conntrack(.state, into: .first), .mask(.first, with: hostBytes(UInt32(1))),
                .compare(.first, .notEqual, hostBytes(UInt32(0))),
            ]
        case .replyDirection:
            // IP_CT_DIR_REPLY
            [.conntrack(.direction, into: .first), .compare(.first, .equal, [1])]
        case .connectionMark(let mark):
            [.conntrack(.mark, into: .first), .compare(.first, .equal, hostBytes(mark))]
        default: []
        }
    }

    private var actionExpressions: [Expression] {
        switch self {
        case .counter: [.counter]
        case .verdict(let verdict): [.verdict(verdict)]
        case .redirect(let port): [.immediate(networkBytes(port), into: .first), .redirect(port: .first)]
        case .destinationNAT(let target):
            Self.load(target) + [.destinationNAT(target.ip.family, address: .first, port: .second)]
        case .transparentProxy(let target):
            Self.load(target) + [.transparentProxy(target.ip.family, address: .first, port: .second)]
        case .rejectWithReset: [.rejectWithReset]
        case .setMark(let mark): [.immediate(hostBytes(mark), into: .first), .setMetaMark(from: .first)]
        case .setConnectionMark(let mark): [.immediate(hostBytes(mark), into: .first), .setConntrackMark(from: .first)]
        default: []
        }
    }

    private static func loadPort(into register: Register) -> Expression {
        .payload(.transport, offset: 2, length: 2, into: register)
    }

    private static func load(_ target: NetworkAddress) -> [Expression] {
        [.immediate(target.ip.bytes, into: .first), .immediate(networkBytes(target.port), into: .second)]
    }

    private static func match(_ prefix: IPPrefix, at field: AddressField, _ comparison: Comparison) -> [Expression] {
        let load = field.load(prefix.family, into: .first)
        let compare = Expression.compare(.first, comparison, prefix.first.bytes)
        guard prefix.length < prefix.family.bitWidth else { return [load, compare] }
        return [load, .mask(.first, with: prefix.maskBytes), compare]
    }
}

/// Which of the two addresses in a packet's header.
private enum AddressField {
    case source, destination

    func load(_ family: IPFamily, into register: Register) -> Expression {
        switch (family, self) {
        case (.v4, .source): .payload(.network, offset: 12, length: 4, into: register)
        case (.v4, .destination): .payload(.network, offset: 16, length: 4, into: register)
        case (.v6, .source): .payload(.network, offset: 8, length: 16, into: register)
        case (.v6, .destination): .payload(.network, offset: 24, length: 16, into: register)
        }
    }
}

extension IPPrefix {
    /// `length` leading ones, as 4 or 16 bytes.
    fileprivate var maskBytes: [UInt8] {
        (0..<family.bitWidth / 8).map { index in
            let ones = min(8, max(0, length - 8 * index))
            return ones == 0 ? 0 : UInt8.max << (8 - UInt8(ones))
        }
    }
}

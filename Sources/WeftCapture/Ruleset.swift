package import WeftCore

/// Desired state of nf_tables: the tables of weft's, whole. Applied in one transaction, so there is no order of steps.
package struct Ruleset: Sendable, Equatable {
    package var tables: [Table]

    package init(tables: [Table]) { self.tables = tables }

    /// Nothing of weft's at all.
    package static let empty = Ruleset(tables: [])

    /// How many rules the kernel should hold.
    package var ruleCount: Int { tables.reduce(0) { $0 + $1.ruleCount } }
}

/// A table of family inet.
package struct Table: Sendable, Equatable {
    package let name: String
    package let flags: TableFlags
    package var sets: [NamedSet]
    package let chains: [Chain]

    package init(name: String, flags: TableFlags, sets: [NamedSet] = [], chains: [Chain] = []) {
        self.name = name
        self.flags = flags
        self.sets = sets
        self.chains = chains
    }

    package var ruleCount: Int { chains.reduce(0) { $0 + $1.rules.count } }

    /// The names of weft's tables; nobody else may use them.
    package enum Name {
        /// The rules proper. Goes when weftd goes.
        package static let capture = "weft"
        /// Keeps NAT and connection tracking alive when `weft` goes, so that captured clients see an end and not
        /// silence.
        package static let keep = "weft_keep"
        /// Refuses users' connections while weft is away. Stays when weftd goes.
        package static let closed = "weft_closed"

        package static let all = [capture, keep, closed]
    }
}

/// NFT_TABLE_F_*
package struct TableFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let owner = TableFlags(rawValue: 2)
    package static let persist = TableFlags(rawValue: 4)
}

/// A base chain, policy accept, with its rules in order.
package struct Chain: Sendable, Equatable {
    package let name: String
    package let kind: Kind
    package let hook: Hook
    package let priority: Int32
    package let rules: [Rule]

    package init(name: String, kind: Kind, hook: Hook, priority: Int32, rules: [Rule] = []) {
        self.name = name
        self.kind = kind
        self.hook = hook
        self.priority = priority
        self.rules = rules
    }

    package enum Kind: String, Sendable {
        case filter, nat, route
    }

    /// NF_INET_*, in the order of the kernel's numbers.
    package enum Hook: UInt32, Sendable, CaseIterable {
        case prerouting, input, forward, output, postrouting
    }
}

/// A rule: matches and actions in order.
package struct Rule: Sendable, Equatable {
    package let statements: [Statement]

    package init(_ statements: Statement...) { self.statements = statements }

    package init(_ statements: [Statement]) { self.statements = statements }

    /// What the kernel is given. A dependency that two statements share is asked once.
    package var expressions: [Expression] {
        var known: Set<Statement.Dependency> = []
        return statements.flatMap { statement in
            statement.dependencies.filter { known.insert($0).inserted }.flatMap(\.expressions) + statement.expressions
        }
    }

    /// The rule in nft's language.
    package var text: String { statements.map(\.text).joined(separator: " ") }
}

/// A named set that rules look things up in.
package struct NamedSet: Sendable, Equatable {
    package let name: String
    package let kind: Kind
    /// Sorted, no two overlapping or equal.
    package var elements: [SetElement]

    package init(_ name: String, _ kind: Kind, _ elements: [SetElement] = []) {
        self.name = name
        self.kind = kind
        self.elements = elements.sorted()
    }

    package enum Kind: Sendable, Equatable {
        /// Ranges of addresses.
        case addresses(IPFamily)
        /// Ranges of ports.
        case portRanges
        case ports
        case users
        case cgroups
        case interfaces
        /// Address and port together.
        case endpoints(IPFamily)

        package var isInterval: Bool {
            switch self {
            case .addresses, .portRanges: true
            case .ports, .users, .cgroups, .interfaces, .endpoints: false
            }
        }
    }
}

extension NamedSet.Kind {
    /// nft's name of the key's type.
    package var text: String {
        switch self {
        case .addresses(let family): "ipv\(family.rawValue)_addr"
        case .portRanges, .ports: "inet_service"
        case .users: "uid"
        case .cgroups: "cgroupsv2"
        case .interfaces: "ifname"
        case .endpoints(let family): "ipv\(family.rawValue)_addr . inet_service"
        }
    }

    /// nft's number of the key's type; only `nft list` reads it. A concatenation is 6 bits per part.
    package var typeNumber: UInt32 {
        switch self {
        case .addresses(.v4): 7
        case .addresses(.v6): 8
        case .portRanges, .ports: 13
        case .users: 24
        case .cgroups: 46
        case .interfaces: 41
        case .endpoints(.v4): 7 << 6 | 13
        case .endpoints(.v6): 8 << 6 | 13
        }
    }

    /// Bytes of a key; parts of a concatenation are padded to 4.
    package var keyLength: UInt32 {
        switch self {
        case .addresses(let family): UInt32(family.bitWidth / 8)
        case .portRanges, .ports: 2
        case .users: 4
        case .cgroups: 8
        case .interfaces: 16
        case .endpoints(let family): UInt32(family.bitWidth / 8) + 4
        }
    }

    /// Whether keys are numbers in this machine's order rather than in network order; nft wants to know.
    package var isHostOrder: Bool {
        switch self {
        case .users, .cgroups, .interfaces: true
        case .addresses, .portRanges, .ports, .endpoints: false
        }
    }
}

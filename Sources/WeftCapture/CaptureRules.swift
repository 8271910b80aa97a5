internal import WeftCore

/// The ruleset as a function of the spec: capture.md section 2, with the choices that the comments here name.
///
/// Exclusions come first in every chain, so that "never passes through weft" holds for virtual addresses as well.
/// Whatever changes while weftd runs (ports, users, units, destinations) is an element of a set and not a rule.
package enum CaptureRules {
    /// Depths of control groups that have a rule from the start, so that excluding a unit later changes elements only:
    /// a unit in a slice, and in slices nested twice and three times.
    static let cgroupLevels: Set<UInt8> = [2, 3, 4]

    /// Computes the rules.
    ///
    /// - Throws: `CaptureRefused` when the kernel lacks what the spec cannot do without.
    package static func plan(for spec: CaptureSpec) throws(CaptureRefused) -> CapturePlan {
        let abilities = try CaptureAbilities(spec)
        let builder = RulesetBuilder(abilities: abilities)
        var tables: [Table] = []
        if abilities.keepsConnections { tables.append(builder.keepTable) }
        if abilities.closesUsers { tables.append(builder.closedTable) }
        tables.append(builder.captureTable)
        return CapturePlan(ruleset: Ruleset(tables: tables), degraded: abilities.degraded)
    }

    /// The rules alone.
    package static func ruleset(for spec: CaptureSpec) throws(CaptureRefused) -> Ruleset { try plan(for: spec).ruleset }
}

/// Puts tables together; the chains are in extensions, one file for each direction.
struct RulesetBuilder {
    let abilities: CaptureAbilities

    var spec: CaptureSpec { abilities.spec }

    /// The families whose outbound connections are captured.
    var outboundFamilies: [IPFamily] { abilities.capturesOutboundV6 ? [.v4, .v6] : [.v4] }

    var captureTable: Table {
        var chains = [outboundChain]
        if abilities.leadsAnswersBack { chains.append(sourceRouteChain) }
        if abilities.capturesInbound { chains.append(inboundChain) }
        if abilities.guardsListener || abilities.guardsInbound { chains.append(guardChain) }
        return Table(
            name: Table.Name.capture,
            flags: spec.features.has(.owner) ? .owner : [],
            sets: outboundSets + inboundSets,
            chains: chains
        )
    }

    /// Tables that stay when weftd goes. An owner who persists needs both flags; without them the table is anyone's.
    private var lastingFlags: TableFlags {
        spec.features.has(.owner) && spec.features.has(.persist) ? [.owner, .persist] : []
    }

    /// One empty nat chain and one rule that asks for connection state: as long as both are there for a family, the
    /// kernel goes on translating connections whose rules have gone (capture.md section 3). The rule itself does
    /// nothing.
    var keepTable: Table {
        Table(
            name: Table.Name.keep,
            flags: lastingFlags,
            sets: [],
            chains: [
                Chain(name: "nat", kind: .nat, hook: .postrouting, priority: 300, rules: []),
                Chain(
                    name: "ct",
                    kind: .filter,
                    hook: .output,
                    priority: 300,
                    rules: [Rule(.invalidState, .counter)]
                ),
            ]
        )
    }

    /// Refuses what the outbound chain would have captured, of some users, unless it has been captured.
    ///
    /// Stands after NAT in the output hook: a captured packet carries the listener's address by then, which it cannot
    /// reach while weft is away. Elsewhere than there it is refused.
    var closedTable: Table {
        let listeners = outboundFamilies.map { family in
            Rule(
                .destination(IPPrefix(listenerAddress(family))),
                .port(CapturePort.outbound),
                .counter,
                .verdict(.return)
            )
        }
        let rules =
            openingOfOthers
            + [Rule(.userNotIn(SetName.closedUsers), .verdict(.return))] + listeners + exclusions
            + selection { _ in [.tcp, .counter, .rejectWithReset] }
        return Table(
            name: Table.Name.closed,
            flags: lastingFlags,
            sets: outboundSets + [
                NamedSet(SetName.closedUsers, .users, spec.failClosedUsers.map(SetElement.user))
            ],
            chains: [Chain(name: "out", kind: .filter, hook: .output, priority: 0, rules: rules)]
        )
    }

    func listenerAddress(_ family: IPFamily) -> IPAddress {
        switch family {
        case .v4: CaptureAddress.v4
        case .v6: CaptureAddress.v6
        }
    }
}

/// Names of sets, in one place.
enum SetName {
    static let excludedPorts = "skip_ports"
    static let excludedUsers = "skip_users"
    static let localPorts = "local_ports"
    static let inboundPorts = "in_ports"
    static let skippedInterfaces = "skip_interfaces"
    static let closedUsers = "closed_users"

    static func excludedCgroups(_ level: UInt8) -> String { "skip_cgroups_\(level)" }
    static func excludedAddresses(_ family: IPFamily) -> String { "skip_v\(family.rawValue)" }
    static func virtual(_ family: IPFamily) -> String { "virtual_v\(family.rawValue)" }
    static func mesh(_ family: IPFamily) -> String { "mesh_v\(family.rawValue)" }
}

extension IPPrefix {
    /// A block of one address.
    init(_ address: IPAddress) { self.init(known: address, length: address.family.bitWidth) }

    /// A block whose length is right by construction.
    init(known address: IPAddress, length: Int) {
        guard let prefix = IPPrefix(address, length: length) else {
            preconditionFailure("\(address) has no prefix of \(length) bits")
        }
        self = prefix
    }

    static func linkLocal(_ family: IPFamily) -> IPPrefix {
        switch family {
        case .v4: IPPrefix(known: .v4(0xa9fe_0000), length: 16)
        case .v6: IPPrefix(known: .v6(high: 0xfe80_0000_0000_0000, low: 0), length: 10)
        }
    }

    static func loopback(_ family: IPFamily) -> IPPrefix {
        switch family {
        case .v4: IPPrefix(known: .v4(0x7f00_0000), length: 8)
        case .v6: IPPrefix(.loopbackV6)
        }
    }

    /// What reaches more than one host.
    static func manyHosts(_ family: IPFamily) -> [IPPrefix] {
        switch family {
        case .v4: [IPPrefix(known: .v4(0xe000_0000), length: 4), IPPrefix(.v4(.max))]
        case .v6: [IPPrefix(known: .v6(high: 0xff00_0000_0000_0000, low: 0), length: 8)]
        }
    }
}

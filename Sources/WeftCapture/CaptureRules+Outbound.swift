internal import WeftCore

extension RulesetBuilder {
    /// Connections of local processes. nat chains are asked once for each connection, about its first packet.
    ///
    /// Priority -101 comes before docker, kube-proxy, iptables (-100) and firewalld (-90): the first nat chain that
    /// maps a connection wins.
    var outboundChain: Chain {
        Chain(
            name: "out_nat",
            kind: .nat,
            hook: .output,
            priority: -101,
            rules: openingOfOthers + exclusions
                + selection { family in
                    switch family {
                    case .v4: [.tcp, .counter, .redirect(port: CapturePort.outbound)]
                    case .v6:
                        [
                            .tcp, .counter,
                            .destinationNAT(NetworkAddress(CaptureAddress.v6, port: CapturePort.outbound)),
                        ]
                    }
                }
        )
    }

    /// Leaves out weftd's own sockets, what is not TCP, and connections older than the rules: without the last, the
    /// next packet of a running connection would be redirected in mid-stream and the connection reset.
    var openingOfOthers: [Rule] {
        [
            Rule(.mark(CaptureMark.own), .counter, .verdict(.return)),
            Rule(.mark(CaptureMark.transparentSource), .counter, .verdict(.return)),
            Rule(.notTCP, .verdict(.return)),
            Rule(.opening(false), .counter, .verdict(.return)),
        ]
    }

    /// What never passes through weft.
    var exclusions: [Rule] {
        let matches: [Statement] =
            [.portIn(SetName.excludedPorts)]
            + levels.map { .cgroupIn(SetName.excludedCgroups($0), level: $0) }
            + [.userIn(SetName.excludedUsers)]
            + outboundFamilies.map { .destinationIn($0, SetName.excludedAddresses($0)) }
        return matches.map { Rule($0, .counter, .verdict(.return)) }
    }

    /// What is captured, each rule ending in `action`.
    ///
    /// Virtual addresses come before the loopback test, as they may be routed to `lo`. `oif "lo"` holds for every
    /// address of this host, since routing has chosen the device before the output hook.
    func selection(action: (IPFamily) -> [Statement]) -> [Rule] {
        var rules = outboundFamilies.map { family in
            Rule([.destinationIn(family, SetName.virtual(family))] + action(family))
        }
        if spec.capturesLocal {
            rules += outboundFamilies.map { family in
                Rule(
                    [
                        .outputIsLoopback, .destinationNot(.loopback(family)),
                        .portIn(SetName.localPorts),
                    ] + action(family).filter { $0 != .tcp }
                )
            }
        }
        rules.append(Rule(.outputIsLoopback, .counter, .verdict(.return)))
        rules += outboundFamilies.map { family in
            switch spec.scope {
            case .all: Rule([.family(family)] + action(family))
            case .mesh:
                Rule([.endpointIn(family, SetName.mesh(family))] + action(family).filter { $0 != .tcp })
            }
        }
        return rules
    }

    /// Brings answers to a client whose address weftd borrowed back to weftd (capture.md section 6): they are marked,
    /// and routed again to `lo` by the rule and the table of `CaptureRouting`.
    var sourceRouteChain: Chain {
        Chain(
            name: "out_route",
            kind: .route,
            hook: .output,
            priority: -150,
            rules: [
                Rule(.mark(CaptureMark.transparentSource), .setConnectionMark(CaptureMark.transparentSource)),
                Rule(
                    .replyDirection,
                    .connectionMark(CaptureMark.transparentSource),
                    .setMark(CaptureMark.transparentSource)
                ),
            ]
        )
    }

    var outboundSets: [NamedSet] {
        var sets = [NamedSet(SetName.excludedPorts, .portRanges, excludedPorts.map(SetElement.portRange))]
        sets += levels.map { level in
            let members = excludedCgroups.filter { $0.level == level }.map { SetElement.cgroup($0.id) }
            return NamedSet(SetName.excludedCgroups(level), .cgroups, members)
        }
        sets.append(NamedSet(SetName.excludedUsers, .users, spec.excludedUsers.map(SetElement.user)))
        for family in outboundFamilies {
            sets.append(
                NamedSet(
                    SetName.excludedAddresses(family),
                    .addresses(family),
                    merged(excludedAddresses(family)).map(SetElement.addresses)
                )
            )
            let virtual = merged(spec.virtualPrefixes.filter { $0.family == family })
            sets.append(NamedSet(SetName.virtual(family), .addresses(family), virtual.map(SetElement.addresses)))
            guard spec.scope == .mesh else { continue }
            let mesh = spec.meshDestinations.filter { $0.ip.family == family }
            sets.append(NamedSet(SetName.mesh(family), .endpoints(family), mesh.map(SetElement.endpoint)))
        }
        if spec.capturesLocal {
            let ports = capturable(spec.localPorts ?? spec.inboundPorts)
            sets.append(NamedSet(SetName.localPorts, .ports, ports.map(SetElement.port)))
        }
        return sets
    }

    /// The ports that never pass through weft: SSH always.
    var excludedPorts: [PortRange] { merged(spec.excludedPorts + [PortRange(CapturePort.ssh)]) }

    /// Without excluded ports and weft's own listeners, which would be captured by themselves.
    func capturable(_ ports: Set<UInt16>) -> Set<UInt16> {
        ports.filter { port in
            port != CapturePort.outbound && port != CapturePort.inbound && !excludedPorts.contains { $0.contains(port) }
        }
    }

    /// The listener's own address is among them: it lies in the block of virtual addresses.
    private func excludedAddresses(_ family: IPFamily) -> [IPPrefix] {
        spec.excludedAddresses.filter { $0.family == family }
            + [IPPrefix.linkLocal(family)] + IPPrefix.manyHosts(family)
            + (family == .v6 ? [IPPrefix(CaptureAddress.v6)] : [])
    }

    private var excludedCgroups: Set<CgroupReference> {
        guard spec.features.has(.socketCgroup) else { return [] }
        guard let own = spec.ownCgroup else { return spec.excludedCgroups }
        return spec.excludedCgroups.union([own])
    }

    private var levels: [UInt8] {
        guard spec.features.has(.socketCgroup) else { return [] }
        return CaptureRules.cgroupLevels.union(excludedCgroups.map(\.level)).sorted()
    }
}

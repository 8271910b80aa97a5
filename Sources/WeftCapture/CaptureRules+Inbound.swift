internal import WeftCore

extension RulesetBuilder {
    /// Plaintext connections from other hosts to local services. tproxy leaves the packet as it is, so that the host's
    /// firewall judges the real port, and the listener reads the original destination with getsockname.
    ///
    /// Priority -99 is just after destination NAT, which runs at -100 whatever priority a nat chain names. Another
    /// table may send a port of this host to a container there; seen before it, at the usual -150, the packet would
    /// still look local, be given to weft, and the connection would hang. After it the packet has its new destination
    /// and is left alone, and a port that is redirected within this host is captured as the port that it ends at.
    ///
    /// All packets pass here, not only SYN: with SYN cookies the last ACK of the handshake has no socket yet. tproxy
    /// does not end the chain, hence `accept`; without a listener, or for a connection that the application already
    /// has, the tproxy rule does not match and the packet goes its way.
    var inboundChain: Chain {
        var rules = [
            Rule(.inputIsLoopback, .verdict(.return)),
            Rule(.notTCP, .verdict(.return)),
            Rule(.portNotIn(SetName.inboundPorts), .verdict(.return)),
            Rule(.inputIn(SetName.skippedInterfaces), .counter, .verdict(.return)),
        ]
        rules += linkLocalReturns
        rules.append(Rule(.destinationIsNotLocal, .verdict(.return)))
        rules += inboundFamilies.map { family in
            let listener = family == .v4 ? CaptureAddress.v4 : CaptureAddress.inboundV6
            return Rule(
                .family(family),
                .tcp,
                .counter,
                .transparentProxy(NetworkAddress(listener, port: CapturePort.inbound)),
                .verdict(.accept)
            )
        }
        return Chain(name: "in_tproxy", kind: .filter, hook: .prerouting, priority: -99, rules: rules)
    }

    /// Refuses the outbound IPv6 listener to other hosts, which could otherwise route to its address; and with
    /// `failClosed` also what tproxy should have taken and did not.
    var guardChain: Chain {
        var rules = [Rule(.inputIsLoopback, .verdict(.return))]
        if abilities.guardsListener {
            rules.append(Rule(.destination(IPPrefix(CaptureAddress.v6)), .tcp, .counter, .rejectWithReset))
        }
        if abilities.guardsInbound {
            rules.append(Rule(.inputIn(SetName.skippedInterfaces), .verdict(.return)))
            rules += linkLocalReturns
            rules += inboundFamilies.map { family in
                Rule(
                    .family(family),
                    .portIn(SetName.inboundPorts),
                    .opening(true),
                    .notTransparent,
                    .counter,
                    .rejectWithReset
                )
            }
        }
        return Chain(name: "in_guard", kind: .filter, hook: .input, priority: -1, rules: rules)
    }

    var inboundSets: [NamedSet] {
        guard abilities.capturesInbound else { return [] }
        return [
            NamedSet(SetName.inboundPorts, .ports, capturable(spec.inboundPorts).map(SetElement.port)),
            NamedSet(
                SetName.skippedInterfaces,
                .interfaces,
                spec.inboundSkippedInterfaces.map(SetElement.interface)
            ),
        ]
    }

    private var inboundFamilies: [IPFamily] { abilities.capturesInboundV6 ? [.v4, .v6] : [.v4] }

    /// Link-local addresses mean something only together with an interface, which a relayed connection loses.
    private var linkLocalReturns: [Rule] {
        inboundFamilies.flatMap { family in
            [
                Rule(.source(IPPrefix.linkLocal(family)), .verdict(.return)),
                Rule(.destination(IPPrefix.linkLocal(family)), .verdict(.return)),
            ]
        }
    }
}

internal import CNetfilter
internal import CWeftLinux
internal import Glibc
package import WeftCapture
package import WeftCore

/// What capture needs of this host's routing, over and above the rules.
package struct RoutingPlan: Sendable, Equatable {
    /// Blocks that must be routed somewhere, as routing comes before the output hook: connect() would fail otherwise.
    package var virtualPrefixes: [IPPrefix]
    /// Whether IPv6 is in use: its outbound listener needs an address of its own on `lo`.
    package var hasV6: Bool
    /// Whether answers to clients whose address weftd borrows must be led back to it.
    package var preservesClientAddress: Bool

    package init(virtualPrefixes: [IPPrefix], hasV6: Bool, preservesClientAddress: Bool) {
        self.virtualPrefixes = virtualPrefixes
        self.hasV6 = hasV6
        self.preservesClientAddress = preservesClientAddress
    }

    /// The plan that goes with a capture spec.
    package init(_ spec: CaptureSpec) {
        let hasV6 = spec.features.has(.ipv6)
        self.init(
            virtualPrefixes: spec.virtualPrefixes.filter { hasV6 || $0.family == .v4 },
            hasV6: hasV6,
            preservesClientAddress: spec.preservesClientAddress && !spec.inboundPorts.isEmpty
        )
    }
}

/// The routes, rules and the address that weft adds to a host, over rtnetlink.
///
/// Everything carries weft's protocol number, except the address, which is nobody else's; so `remove` needs no memory
/// of what was added, takes nothing that is not weft's, and can be done by another process. Calls block for
/// microseconds. Not Sendable: confined to its thread.
package final class HostRouting {
    let connection: NetlinkConnection

    /// Opens a socket in the calling thread's network namespace.
    package init() throws(NetfilterError) {
        do {
            connection = try NetlinkConnection(protocolNumber: NETLINK_ROUTE)
        } catch {
            throw NetfilterError(operation: "opening a routing socket", failure: error)
        }
    }

    /// Makes what the plan names present. What is there already stays as it is, so that the call may be repeated, and
    /// should be when routes of the host change.
    ///
    /// - Returns: sentences for what could not be done because IPv6 is off; empty otherwise.
    package func install(_ plan: RoutingPlan) throws(NetfilterError) -> [String] {
        var missing: [String] = []
        if plan.preservesClientAddress {
            for family in plan.hasV6 ? [IPFamily.v4, .v6] : [.v4] {
                guard try addMarkRule(family), try addReturnRoute(family) else {
                    missing.append("IPv6 is off: IPv6 clients' addresses cannot be preserved")
                    continue
                }
            }
        }
        if plan.hasV6, try !addListenerAddress() {
            missing.append("IPv6 is off on `lo`: outbound IPv6 cannot be captured")
        }
        for prefix in plan.virtualPrefixes {
            guard try !isRouted(prefix) else { continue }
            if try !addVirtualRoute(prefix) {
                missing.append("IPv6 is off: virtual addresses in \(prefix) cannot be reached")
            }
        }
        return missing
    }

    // MARK: Adding. Each returns false when its family is off.

    /// `ip rule add fwmark M2 lookup T`
    private func addMarkRule(_ family: IPFamily) throws(NetfilterError) -> Bool {
        try add("the rule for mark \(CaptureMark.transparentSource) (\(family.label))", family) { sequence in
            var message = RouteMessage(
                RTM_NEWRULE,
                flags: Self.addFlags,
                sequence: sequence,
                fixed: RouteMessage.rule(family)
            )
            message.add(Int(FRA_PRIORITY), number: CaptureRouting.rulePriority)
            message.add(Int(FRA_FWMARK), number: CaptureMark.transparentSource)
            message.add(Int(FRA_FWMASK), number: .max)
            message.add(Int(FRA_TABLE), number: CaptureRouting.table)
            message.add(Int(FRA_PROTOCOL), [CaptureRouting.protocolNumber])
            return message
        }
    }

    /// `ip route add local default dev lo table T`
    private func addReturnRoute(_ family: IPFamily) throws(NetfilterError) -> Bool {
        try add("the route of table \(CaptureRouting.table) (\(family.label))", family) { sequence in
            let scope = family == .v4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE
            var message = RouteMessage(
                RTM_NEWROUTE,
                flags: Self.addFlags,
                sequence: sequence,
                fixed: RouteMessage.route(
                    family,
                    destinationLength: 0,
                    scope: Int(scope.rawValue),
                    kind: Int(RTN_LOCAL),
                    protocolNumber: CaptureRouting.protocolNumber
                )
            )
            message.add(Int(RTA_OIF.rawValue), number: Self.loopbackIndex)
            message.add(Int(RTA_TABLE.rawValue), number: CaptureRouting.table)
            return message
        }
    }

    /// `ip route add PREFIX dev lo`. Unicast: as `local` the client's own address would become the virtual one.
    private func addVirtualRoute(_ prefix: IPPrefix) throws(NetfilterError) -> Bool {
        try add("the route for \(prefix)", prefix.family) { sequence in
            let scope = prefix.family == .v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
            var message = RouteMessage(
                RTM_NEWROUTE,
                flags: Self.addFlags,
                sequence: sequence,
                fixed: RouteMessage.route(
                    prefix.family,
                    destinationLength: prefix.length,
                    scope: Int(scope.rawValue),
                    kind: Int(RTN_UNICAST),
                    protocolNumber: CaptureRouting.protocolNumber
                )
            )
            message.add(Int(RTA_DST.rawValue), prefix.first.bytes)
            message.add(Int(RTA_OIF.rawValue), number: Self.loopbackIndex)
            message.add(Int(RTA_TABLE.rawValue), number: UInt32(RT_TABLE_MAIN.rawValue))
            return message
        }
    }

    /// Adds the outbound IPv6 listener's address to `lo`, deprecated from the start, so that no connection of the
    /// host's takes it as its source while there is another.
    private func addListenerAddress() throws(NetfilterError) -> Bool {
        try add("address \(CaptureAddress.v6)", .v6) { sequence in Self.addressMessage(RTM_NEWADDR, sequence) }
    }

    /// `struct ifaddrmsg`: family, prefix length, flags, scope, interface; then the address, and its times in seconds:
    /// preferred, valid (for ever) and two that the kernel fills in.
    static func addressMessage(_ type: Int, _ sequence: UInt32) -> RouteMessage {
        var message = RouteMessage(
            type,
            flags: type == RTM_NEWADDR ? addFlags : NLM_F_ACK,
            sequence: sequence,
            fixed: [IPFamily.v6.addressFamily, 128, UInt8(IFA_F_NODAD), UInt8(RT_SCOPE_UNIVERSE.rawValue)]
                + RouteMessage.bytes(of: loopbackIndex)
        )
        message.add(Int(IFA_LOCAL), CaptureAddress.v6.bytes)
        message.add(Int(IFA_ADDRESS), CaptureAddress.v6.bytes)
        message.add(Int(IFA_CACHEINFO), [UInt32(0), .max, 0, 0].flatMap { RouteMessage.bytes(of: $0) })
        return message
    }

    /// Whether the kernel would send a packet to the first address of a block anywhere.
    private func isRouted(_ prefix: IPPrefix) throws(NetfilterError) -> Bool {
        let code = try request("looking up the route for \(prefix)") { sequence in
            var message = RouteMessage(
                RTM_GETROUTE,
                flags: NLM_F_ACK,
                sequence: sequence,
                fixed: RouteMessage.route(
                    prefix.family,
                    destinationLength: prefix.family.bitWidth,
                    scope: 0,
                    kind: 0,
                    protocolNumber: 0
                )
            )
            message.add(Int(RTA_DST.rawValue), prefix.first.bytes)
            return message
        }
        return code == 0
    }

    static let loopbackIndex: UInt32 = 1
    private static let addFlags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK

    private func add(
        _ what: String,
        _ family: IPFamily,
        build: (UInt32) -> RouteMessage
    ) throws(NetfilterError) -> Bool {
        let operation = "adding \(what)"
        let code = try request(operation, build: build)
        switch code {
        case 0, EEXIST: return true
        case EAFNOSUPPORT, EOPNOTSUPP, EACCES, ENODEV, EINVAL:
            // The kernel's many words for IPv6 being off, on `lo` or at all.
            guard family == .v6 else { fallthrough }
            return false
        default:
            throw NetfilterError(routing: operation, code: code)
        }
    }

    /// Sends one request; the kernel's error code, 0 for none.
    func request(_ operation: String, build: (UInt32) -> RouteMessage) throws(NetfilterError) -> Int32 {
        let message = build(connection.takeSequence())
        do {
            return try connection.request(message.bytes, sequence: message.sequence)
        } catch {
            throw NetfilterError(operation: operation, failure: error)
        }
    }
}

extension IPFamily {
    var label: String { self == .v4 ? "IPv4" : "IPv6" }
}

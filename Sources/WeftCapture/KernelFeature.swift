/// One thing that capture wants of the kernel's nf_tables, found out by probing.
package enum KernelFeature: String, Hashable, Sendable, CaseIterable {
    /// Tables that belong to a socket and go with it.
    case owner
    /// Owned tables that stay, without an owner, when their socket goes.
    case persist
    /// Chains of type nat in family inet.
    case nat
    case redirect
    /// Destination NAT of IPv6.
    case natV6
    /// Sets of ranges.
    case intervals
    /// Sets whose key is an address and a port.
    case concatenation
    case tproxy
    case tproxyV6
    /// Whether an address is this host's own.
    case fib
    /// The control group of the sending socket.
    case socketCgroup
    case socketTransparent
    /// Connection state, direction and mark.
    case conntrack
    /// Chains that route a packet again when they change its mark.
    case routeChain
    /// Answering a packet with RST.
    case reject
    /// Whether IPv6 is switched on, on `lo` at least.
    case ipv6

    /// What to look for in the kernel's configuration, and the first version that has it.
    package var requirement: String {
        switch self {
        case .owner: "nf_tables table owner, Linux 5.12"
        case .persist: "nf_tables table flag persist, Linux 6.9"
        case .nat: "CONFIG_NF_TABLES_INET and CONFIG_NFT_NAT, Linux 5.2"
        case .redirect: "CONFIG_NFT_REDIR, Linux 5.2"
        case .natV6: "CONFIG_NFT_NAT with IPv6, Linux 5.2"
        case .intervals: "nf_tables interval sets, Linux 3.16"
        case .concatenation: "nf_tables concatenated keys, Linux 4.1"
        case .tproxy, .tproxyV6: "CONFIG_NFT_TPROXY, Linux 4.19"
        case .fib: "CONFIG_NFT_FIB_INET, Linux 4.10"
        case .socketCgroup: "CONFIG_NFT_SOCKET and CONFIG_SOCK_CGROUP_DATA, Linux 5.13"
        case .socketTransparent: "CONFIG_NFT_SOCKET, Linux 4.18"
        case .conntrack: "CONFIG_NFT_CT and CONFIG_NF_CONNTRACK_MARK"
        case .routeChain: "nf_tables route chains in family inet, Linux 5.2"
        case .reject: "CONFIG_NFT_REJECT_INET"
        case .ipv6: "IPv6 (net.ipv6.conf.lo.disable_ipv6 = 0)"
        }
    }
}

/// What probing found.
package struct KernelFeatures: Sendable, Equatable {
    package var present: Set<KernelFeature>

    package init(_ present: Set<KernelFeature>) { self.present = present }

    package static let all = KernelFeatures(Set(KernelFeature.allCases))

    package func has(_ feature: KernelFeature) -> Bool { present.contains(feature) }

    /// What is not there, in the order of declaration.
    package var missing: [KernelFeature] { KernelFeature.allCases.filter { !present.contains($0) } }
}

package import WeftCore

/// Everything that the capture rules are computed from. The daemon builds it from the host configuration, the local
/// services, the catalogue and what `probe` found; equal specs give equal rules.
package struct CaptureSpec: Sendable, Equatable {
    /// Which outbound destinations are captured. Virtual addresses always are.
    package enum Scope: Sendable, Equatable {
        /// All outbound TCP of local processes.
        case all
        /// Only the destinations in `meshDestinations`.
        case mesh
    }

    package var scope = Scope.all
    /// What the mesh knows; read only when `scope` is `.mesh`.
    package var meshDestinations: Set<NetworkAddress> = []
    /// The blocks that services' virtual addresses are taken from.
    package var virtualPrefixes: [IPPrefix] = CaptureAddress.virtualPrefixes
    /// Ports of local services whose plaintext connections from other hosts are captured; empty means none.
    package var inboundPorts: Set<UInt16> = []
    /// Whether connections of this host to services at its own addresses are captured (never to 127.0.0.0/8 and ::1).
    package var capturesLocal = false
    /// The ports that `capturesLocal` is about; nil means `inboundPorts`.
    package var localPorts: Set<UInt16>?
    /// Destination ports that never pass through weft, in or out. TCP 22 needs no mention.
    package var excludedPorts: [PortRange] = []
    /// Outbound destinations that never pass through weft. Link-local, multicast and broadcast need no mention.
    package var excludedAddresses: [IPPrefix] = []
    /// Control groups whose own connections go direct.
    package var excludedCgroups: Set<CgroupReference> = []
    /// weftd's own control group, in addition to the mark on its sockets; nil when it is not known.
    package var ownCgroup: CgroupReference?
    /// Users whose connections go direct.
    package var excludedUsers: Set<UserID> = []
    /// Whether inbound traffic that tproxy failed to take is refused, and `failClosedUsers` holds.
    package var failClosed = false
    /// Users whose new connections are refused while weft is away; read only when `failClosed` is set.
    package var failClosedUsers: Set<UserID> = []
    /// Whether weftd dials local services under the client's address, so that their answers must be led back to it.
    package var preservesClientAddress = true
    /// Interfaces whose inbound traffic is left alone: bridges under br_netfilter, where tproxy is lost.
    package var inboundSkippedInterfaces: Set<InterfaceName> = []
    /// What this kernel can do.
    package var features = KernelFeatures.all

    package init() {}
}

/// A control group as `socket cgroupv2` sees it.
package struct CgroupReference: Hashable, Sendable, Comparable {
    /// How deep below the root of weftd's cgroup namespace: `/system.slice` is 1, a unit in it 2.
    package let level: UInt8
    package let id: CgroupID

    package init(level: UInt8, id: CgroupID) {
        self.level = level
        self.id = id
    }

    package static func < (left: CgroupReference, right: CgroupReference) -> Bool {
        (left.level, left.id) < (right.level, right.id)
    }
}

/// The name of a network interface: 1 to 15 bytes, no slash, no space.
package struct InterfaceName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil when the text breaks a rule above.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard (1...15).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") })
        else { return nil }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: InterfaceName, right: InterfaceName) -> Bool { left.text < right.text }
}

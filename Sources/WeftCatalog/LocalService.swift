package import WeftCore

/// A listening TCP socket of this host, as a sock_diag dump tells it.
package struct ListeningSocket: Hashable, Sendable, Comparable {
    package let address: NetworkAddress
    package let owner: SocketOwner
    /// An IPv6 wildcard listener that refuses IPv4 (IPV6_V6ONLY); false for IPv4 sockets.
    package let isV6Only: Bool

    package init(address: NetworkAddress, owner: SocketOwner, isV6Only: Bool) {
        self.address = address
        self.owner = owner
        self.isV6Only = isV6Only
    }

    package static func < (left: ListeningSocket, right: ListeningSocket) -> Bool {
        (left.address, left.owner.cgroup, left.owner.inode) < (right.address, right.owner.cgroup, right.owner.inode)
    }
}

/// One port of a service that a unit of this host offers.
package struct LocalService: Hashable, Sendable {
    package let name: ServiceName
    /// The systemd unit, such as `api.service`.
    package let unit: String
    package let tenant: TenantName
    package let uid: UserID
    package let port: UInt16
    /// Where it listens, sorted; the unspecified address stands for all addresses of its family.
    package let addresses: [IPAddress]
    /// Whether other hosts may reach it through weft.
    package let isExposed: Bool
    package let labels: [String: String]
    /// `http`, `tcp`, ... when declared.
    package let protocolHint: String?

    package init(
        name: ServiceName,
        unit: String,
        tenant: TenantName,
        uid: UserID,
        port: UInt16,
        addresses: [IPAddress],
        isExposed: Bool,
        labels: [String: String],
        protocolHint: String?
    ) {
        self.name = name
        self.unit = unit
        self.tenant = tenant
        self.uid = uid
        self.port = port
        self.addresses = addresses
        self.isExposed = isExposed
        self.labels = labels
        self.protocolHint = protocolHint
    }
}

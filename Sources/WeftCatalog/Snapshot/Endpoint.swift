package import WeftCore

/// One place that offers a service: a host and a port. Made once when a record becomes known, then shared by every
/// snapshot that has it.
package final class Endpoint: Sendable {
    package let service: ServiceName
    /// Nil for this host.
    package let node: NodeName?
    package let port: UInt16
    /// Where to dial it, at least one; the first is the one to show.
    package let addresses: [IPAddress]
    /// Whether the addresses are the node's own word that it listens elsewhere than at its gossip address.
    package let hasExplicitAddresses: Bool
    /// Whether the first address is the one that gossip knows, which is known to be within reach.
    package let isAtGossipAddress: Bool
    package let isHealthy: Bool
    package let tenant: TenantName
    package let labels: [String: String]
    /// `http`, `tcp`, ... when declared.
    package let protocolHint: String?

    /// Nil without an address.
    package init?(
        service: ServiceName,
        node: NodeName?,
        port: UInt16,
        addresses: [IPAddress],
        hasExplicitAddresses: Bool = false,
        isAtGossipAddress: Bool = false,
        isHealthy: Bool = true,
        tenant: TenantName = .system,
        labels: [String: String] = [:],
        protocolHint: String? = nil
    ) {
        guard !addresses.isEmpty else { return nil }
        self.service = service
        self.node = node
        self.port = port
        self.addresses = addresses
        self.hasExplicitAddresses = hasExplicitAddresses
        self.isAtGossipAddress = isAtGossipAddress
        self.isHealthy = isHealthy
        self.tenant = tenant
        self.labels = labels
        self.protocolHint = protocolHint
    }

    /// Whether it is a service of this host.
    package var isLocal: Bool { node == nil }

    package var address: NetworkAddress { NetworkAddress(addresses[0], port: port) }

    /// Where to dial it: where gossip reaches its host, else in the client's family where that is possible.
    package func target(preferring family: IPFamily) -> NetworkAddress {
        guard !isAtGossipAddress else { return address }
        return NetworkAddress(addresses.first { $0.family == family } ?? addresses[0], port: port)
    }

    /// What its record says, at the address that gossip knows; nil when no address can be dialled.
    convenience init?(_ record: ServiceRecord, on node: NodeName, gossipAddress: IPAddress) {
        let isExplicit = !record.addresses.isEmpty
        let isThere = record.addresses.contains(gossipAddress)
        let elsewhere = record.addresses.filter { $0 != gossipAddress }
        self.init(
            service: record.key.service,
            node: node,
            port: record.key.port,
            addresses: (!isExplicit && gossipAddress.isDialable || isThere ? [gossipAddress] : []) + elsewhere,
            hasExplicitAddresses: isExplicit,
            isAtGossipAddress: !isExplicit || isThere,
            isHealthy: record.isHealthy,
            tenant: record.tenant,
            labels: record.labels,
            protocolHint: record.protocolHint
        )
    }
}

extension Endpoint: Equatable {
    package static func == (left: Endpoint, right: Endpoint) -> Bool {
        left === right
            || left.service == right.service && left.node == right.node && left.port == right.port
                && left.addresses == right.addresses && left.hasExplicitAddresses == right.hasExplicitAddresses
                && left.isAtGossipAddress == right.isAtGossipAddress
                && left.isHealthy == right.isHealthy && left.tenant == right.tenant && left.labels == right.labels
                && left.protocolHint == right.protocolHint
    }
}

extension Endpoint: CustomStringConvertible {
    package var description: String { "\(service) on \(node?.text ?? "this host") at \(address)" }
}

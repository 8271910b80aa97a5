package import WeftCore

/// What a host tells the mesh about one port of one of its services.
///
/// Built from a `LocalService` on its own host and from bytes everywhere else (`ServiceRecord+Wire.swift`). The limits
/// hold for both: a value that exists can be sent.
package struct ServiceRecord: Hashable, Sendable {
    /// What makes two records of a host the same.
    package struct Key: Hashable, Sendable {
        package let service: ServiceName
        package let port: UInt16

        package init(service: ServiceName, port: UInt16) {
            self.service = service
            self.port = port
        }
    }

    package static let addressesMax = 8
    /// As many, and as long, as the host configuration takes.
    package static let labelsMax = 32
    package static let labelKeyBytesMax = 63
    package static let labelValueBytesMax = 255
    package static let protocolBytesMax = 16

    package let key: Key
    package let tenant: TenantName
    /// Where it listens when that is not the node's gossip address: sorted, at most `addressesMax`. Empty means there.
    package let addresses: [IPAddress]
    /// At most `labelsMax`, without control characters.
    package let labels: [String: String]
    /// `http`, `tcp`, ... when declared.
    package let protocolHint: String?
    package let isHealthy: Bool
    /// What a later release added to the record: kept as it came, for those who understand it.
    let additions: Additions

    /// Labels, addresses and a protocol hint that break the limits are left out, the last in order first: a service
    /// with a label too many is better known without it than not at all.
    package init(
        key: Key,
        tenant: TenantName = .system,
        addresses: [IPAddress] = [],
        labels: [String: String] = [:],
        protocolHint: String? = nil,
        isHealthy: Bool = true
    ) {
        self.key = key
        self.tenant = tenant
        self.addresses = Self.fitting(addresses)
        self.labels = Self.fitting(labels)
        self.protocolHint = protocolHint.flatMap { Self.isProtocol($0) ? $0 : nil }
        self.isHealthy = isHealthy
        self.additions = Additions()
    }

    /// The decoder's: every rule has been checked.
    init(
        checkedKey key: Key,
        tenant: TenantName,
        addresses: [IPAddress],
        labels: [String: String],
        protocolHint: String?,
        isHealthy: Bool,
        additions: Additions
    ) {
        self.key = key
        self.tenant = tenant
        self.addresses = addresses
        self.labels = labels
        self.protocolHint = protocolHint
        self.isHealthy = isHealthy
        self.additions = additions
    }

    struct Additions: Hashable, Sendable {
        var flags: UInt8 = 0
        var bytes: [UInt8] = []
    }

    /// The first ones, sorted.
    private static func fitting(_ addresses: [IPAddress]) -> [IPAddress] {
        var kept: Set<IPAddress> = []
        for address in addresses where address.isDialable && kept.count < addressesMax { kept.insert(address) }
        return kept.sorted()
    }

    private static func fitting(_ labels: [String: String]) -> [String: String] {
        let valid = labels.sorted { $0.key < $1.key }.filter { isLabel(key: $0.key, value: $0.value) }
        return Dictionary(uniqueKeysWithValues: valid.prefix(labelsMax).map { ($0.key, $0.value) })
    }

    static func isLabel(key: String, value: String) -> Bool {
        (1...labelKeyBytesMax).contains(key.utf8.count) && key.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            && value.utf8.count <= labelValueBytesMax && value.unicodeScalars.allSatisfy(isPrintable)
    }

    /// No control character of either range: what a peer says may come to a terminal.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value)
    }

    static func isProtocol(_ text: String) -> Bool {
        (1...protocolBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}

extension ServiceRecord.Key: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.service, left.port) < (right.service, right.port)
    }
}

extension ServiceRecord {
    /// What a host says of its services: one record for each name and port that other hosts may reach, sorted.
    ///
    /// A service that listens on all addresses is found at each of `ownAddresses` that another host can dial, so that none
    /// of them is a way around the mesh; one that the configuration exposes from loopback, at the gossip address; one that
    /// listens elsewhere only says where.
    /// - Parameter ownAddresses: those at which other hosts may look for this one.
    /// - Parameter unhealthy: services and ports that should get no connections while others can.
    package static func records(
        of services: [LocalService],
        gossipAddress: IPAddress,
        ownAddresses: Set<IPAddress>,
        unhealthy: Set<Key> = []
    ) -> [ServiceRecord] {
        let exposed = Dictionary(grouping: services.filter(\.isExposed)) { Key(service: $0.name, port: $0.port) }
        return exposed.sorted { $0.key < $1.key }.compactMap { key, services in
            // Two units behind one name and port: the first in order speaks for both, at the addresses of both.
            guard let first = services.min(by: { $0.unit < $1.unit }) else { return nil }
            let listening = Set(services.flatMap(\.addresses))
            guard let addresses = advertised(listening, gossip: gossipAddress, own: ownAddresses) else { return nil }
            return ServiceRecord(
                key: key,
                tenant: first.tenant,
                addresses: addresses,
                labels: first.labels,
                protocolHint: first.protocolHint,
                isHealthy: !unhealthy.contains(key)
            )
        }
    }

    /// Empty for the gossip address; nil when no other host can reach any of them.
    private static func advertised(_ listening: Set<IPAddress>, gossip: IPAddress, own: Set<IPAddress>) -> [IPAddress]?
    {
        var reachable = listening.filter(\.isDialable)
        let wildcards = listening.filter(\.isUnspecified)
        for wildcard in wildcards {
            reachable.formUnion(own.filter { $0.family == wildcard.family && $0.isDialable })
            if wildcard.family == gossip.family { reachable.insert(gossip) }
        }
        // Loopback only, and exposed all the same: weft on this host takes it there from the gossip address.
        if reachable.isEmpty { return wildcards.isEmpty ? [] : nil }
        guard reachable != [gossip] else { return [] }
        // Whatever has no room, the address that everybody knows has.
        return (reachable.contains(gossip) ? [gossip] : []) + reachable.subtracting([gossip]).sorted()
    }
}

extension IPAddress {
    /// Whether another host can dial it as it stands: no loopback, no multicast, nothing that needs a link's name, and
    /// none of the mesh's virtual addresses.
    var isDialable: Bool {
        guard !isLoopback, !isUnspecified, !VirtualAddresses.contains(self) else { return false }
        return switch self {
        case .v4(let bits): bits >> 28 < 0xe
        case .v6(let high, _): high >> 56 != 0xff && !isLinkLocal
        }
    }
}

package import WeftCore

/// Joins listening sockets to the units that hold them: what this host offers, without anybody declaring it.
///
/// Rules: every system unit with a TCP listener is a service of the unit's name on that port. Other hosts may reach it
/// when it listens on an address that they could reach before; loopback and link-local addresses are not such.
/// SSH and weft are never services, and neither are weft's own ports. Units and scopes of users are not either: any
/// user could take any name.
package enum ServiceFinder {
    /// SSH, which must keep working whatever weft does, and what weft itself listens on.
    package static let portsNeverOffered: Set<UInt16> = [22, 7946, 15001, 15006, 15008]

    /// The services behind `listeners`, sorted by name, port and unit.
    ///
    /// `overrides` is keyed by the name that a service has without them. Sockets of cgroups that `workloads` does not
    /// have are left out; they are found as soon as it does.
    package static func services(
        listeners: [ListeningSocket],
        workloads: [CgroupID: Workload],
        overrides: [ServiceName: ServiceOverride] = [:]
    ) -> [LocalService] {
        var found: [Place: Finding] = [:]
        for listener in listeners.sorted() where !portsNeverOffered.contains(listener.address.port) {
            guard let workload = workloads[listener.owner.cgroup], workload.isSystemUnit, let unit = workload.unit,
                let name = defaultName(ofUnit: unit)
            else { continue }
            let place = Place(unit: unit, port: listener.address.port)
            found[place, default: Finding(name: name, tenant: workload.tenant, uid: listener.owner.uid)]
                .addresses.formUnion(listener.answeredAddresses)
        }
        return found.map { place, finding in
            finding.service(at: place, override: overrides[finding.name] ?? ServiceOverride())
        }.sorted { ($0.name, $0.port, $0.unit) < ($1.name, $1.port, $1.unit) }
    }

    /// The name under which a unit's services go: `api.service` is `api`, and all instances of a template share
    /// the template's name. Nil for units that are never services and for names without a letter or digit.
    package static func defaultName(ofUnit unit: String) -> ServiceName? {
        guard let dot = unit.lastIndex(of: "."), ["service", "scope"].contains(unit[unit.index(after: dot)...]) else {
            return nil
        }
        let stem = unit[..<dot].prefix { $0 != "@" }
        let bytes = SystemdName.decoded(stem)
        let folded = SystemdName.folded(bytes)
        guard !["ssh", "sshd", "weft", "weftd"].contains(folded) else { return nil }
        if let name = ServiceName(shorteningContainerID(folded)) { return name }
        // Too long: keep the start, and the difference between two that start alike.
        return ServiceName("\(folded.prefix(50))-\(hexadecimal(StableHash(bytes).value, digits: 8))")
    }

    /// `docker-` and 64 digits of a container's id become `docker-` and the 12 digits that people know it by.
    private static func shorteningContainerID(_ name: String) -> String {
        let id = name.utf8.suffix(64)
        let isID = id.count == 64 && id.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isID ? String(name.dropLast(52)) : name
    }
}

/// What makes two sockets the same service.
private struct Place: Hashable {
    let unit: String
    let port: UInt16
}

/// What the sockets of one place have said so far.
private struct Finding {
    let name: ServiceName
    let tenant: TenantName
    let uid: UserID
    var addresses: Set<IPAddress> = []

    func service(at place: Place, override: ServiceOverride) -> LocalService {
        LocalService(
            name: override.rename ?? name,
            unit: place.unit,
            tenant: tenant,
            uid: uid,
            port: place.port,
            addresses: addresses.sorted(),
            isExposed: override.expose ?? addresses.contains { !$0.isLoopback && !$0.isLinkLocal },
            labels: override.labels,
            protocolHint: override.protocolHint
        )
    }
}

extension ListeningSocket {
    /// The addresses at which the socket answers: an IPv6 wildcard takes IPv4 as well unless it says otherwise.
    fileprivate var answeredAddresses: [IPAddress] {
        address.ip == .anyV6 && !isV6Only ? [.anyV4, .anyV6] : [address.ip]
    }
}

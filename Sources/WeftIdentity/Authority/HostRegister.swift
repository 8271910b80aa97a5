package import WeftCore

/// The certificates that an authority gave to hosts, as far as they may still be renewed: by their fingerprints, so that
/// a host which slept through a rotation of the root can be told from somebody who has the old root's key.
///
/// A signature of a root that is not trusted any more says nothing: perhaps it was replaced because its key was stolen.
/// That this authority itself gave exactly this certificate says all. A convenience: a host that is not in it needs a token.
struct HostRegister: Sendable, Equatable {
    /// Some megabytes in the state file at most. Beyond it those that end first are forgotten.
    static let hostsMax = 16_384
    /// The last one, and the one before, as the last answer may have been lost.
    static let certificatesMax = 2

    private(set) var hosts: [NodeName: Entry] = [:]

    struct Entry: Sendable, Equatable {
        /// The newest first.
        var certificates: [Fingerprint]
        /// The latest end.
        var end: WallTime
    }

    mutating func add(_ certificate: MeshCertificate, of node: NodeName, now: WallTime) {
        let earlier = hosts[node]?.certificates ?? []
        add(
            Entry(certificates: [certificate.fingerprint] + earlier, end: certificate.validity.notAfter),
            of: node
        )
        hosts = hosts.filter { now <= $0.value.end.advanced(by: Lifetimes.grace) }
    }

    func contains(_ certificate: MeshCertificate, of node: NodeName) -> Bool {
        hosts[node]?.certificates.contains(certificate.fingerprint) ?? false
    }

    /// Takes over what another holder has given.
    mutating func merge(_ other: HostRegister) {
        for (node, entry) in other.hosts.sorted(by: { $0.key < $1.key }) {
            guard let own = hosts[node] else {
                add(entry, of: node)
                continue
            }
            let (newer, older) = own.end < entry.end ? (entry, own) : (own, entry)
            add(Entry(certificates: newer.certificates + older.certificates, end: newer.end), of: node)
        }
    }

    private mutating func add(_ entry: Entry, of node: NodeName) {
        if hosts.count >= Self.hostsMax, hosts[node] == nil {
            let first = hosts.min { ($0.value.end, $0.key) < ($1.value.end, $1.key) }
            if let first { hosts[first.key] = nil }
        }
        var known: [Fingerprint] = []
        for certificate in entry.certificates where !known.contains(certificate) { known.append(certificate) }
        hosts[node] = Entry(certificates: Array(known.prefix(Self.certificatesMax)), end: entry.end)
    }
}

extension MeshAuthority {
    /// Remembers a certificate that was signed for a host, so that it can be renewed after a rotation too.
    package mutating func register(_ chain: [MeshCertificate], now: WallTime) {
        guard let certificate = chain.first, let node = certificate.identity?.node else { return }
        register.add(certificate, of: node, now: now)
    }

    /// Takes over what `other`, the same authority on another host or of before, remembers.
    package mutating func mergeRegister(of other: MeshAuthority) { register.merge(other.register) }
}

extension HostRegister {
    var encoded: [UInt8] {
        var writer = WireWriter()
        writer.list(hosts.sorted { $0.key < $1.key }) { writer, host in
            writer.text(host.key.text)
            writer.time(host.value.end)
            writer.list(host.value.certificates) { $0.raw($1.bytes) }
        }
        return writer.bytes
    }

    init(encoded: [UInt8]) throws(WireError) {
        var reader = WireReader(encoded)
        let list = try reader.list("hosts", maximum: Self.hostsMax) { reader throws(WireError) in
            let node = try reader.node()
            let end = try reader.time("end")
            let certificates = try reader.list("certificates", maximum: Self.certificatesMax) {
                reader throws(WireError) in try reader.fingerprint("certificate")
            }
            return (node, Entry(certificates: certificates, end: end))
        }
        try reader.end()
        self.hosts = Dictionary(list, uniquingKeysWith: { first, _ in first })
    }
}

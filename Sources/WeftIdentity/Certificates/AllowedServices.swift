internal import SwiftASN1
package import WeftCore
internal import X509

/// What a host may speak for: bound to its join token, carried in its intermediate, and checked by every peer on every
/// leaf below it.
///
/// It is an extension of weft's own. RFC 5280 (section 4.2.1.10) has URI name constraints look at the host part only,
/// which in `spiffe://MESH/ns/TENANT/sa/SERVICE` is the mesh: they cannot tell services apart. The extension is not
/// critical, as Envoy and ztunnel refuse critical ones that they do not know; they then trust the host for every name,
/// as they trust Istio's own authorities.
package struct AllowedServices: Sendable, Hashable {
    /// Larger lists are refused.
    package static let entriesMax = 128

    /// Under the number that RFC 5612 keeps for examples, which nobody else's certificates use: weft has none of its own.
    static let oid: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 32473, 15008, 1]

    /// In order, each once. An empty list allows nothing but the host's own identity.
    package let entries: [Entry]

    /// A service of one tenant, or, without a tenant, of any: `web` or `system/web`.
    package struct Entry: Sendable, Hashable, Comparable, CustomStringConvertible {
        package let tenant: TenantName?
        package let service: ServiceName

        package init(tenant: TenantName? = nil, service: ServiceName) {
            self.tenant = tenant
            self.service = service
        }

        /// Nil for anything but the two forms above.
        package init?(_ text: String) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, let service = ServiceName(parts[parts.count - 1]) else { return nil }
            if parts.count == 2 {
                guard let tenant = TenantName(parts[0]) else { return nil }
                self.init(tenant: tenant, service: service)
            } else {
                self.init(service: service)
            }
        }

        package var description: String { tenant.map { "\($0)/\(service)" } ?? service.text }

        package static func < (left: Entry, right: Entry) -> Bool { left.description < right.description }
    }

    /// Nil when there are too many.
    package init?(_ entries: some Sequence<Entry>) {
        let unique = Set(entries).sorted()
        guard unique.count <= Self.entriesMax else { return nil }
        self.entries = unique
    }

    /// Whether a workload may have this identity. Hosts' identities are not services: see `PeerVerifier`.
    package func allows(_ identity: SpiffeID) -> Bool {
        entries.contains { entry in
            entry.service == identity.service && (entry.tenant.map { $0 == identity.tenant } ?? true)
        }
    }
}

extension AllowedServices {
    /// `SEQUENCE OF UTF8String`.
    func makeExtension() throws -> Certificate.Extension {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            for entry in entries { try coder.serialize(ASN1UTF8String(entry.description)) }
        }
        return Certificate.Extension(oid: Self.oid, critical: false, value: serializer.serializedBytes[...])
    }

    /// The list that an intermediate carries; nil when it carries none, which allows everything.
    package init?(carriedBy certificate: MeshCertificate) throws(IdentityError) {
        guard let found = certificate.x509.extensions[oid: Self.oid] else { return nil }
        do {
            let texts = try DER.sequence(
                of: ASN1UTF8String.self,
                identifier: .sequence,
                rootNode: DER.parse(found.value)
            )
            let entries = try texts.map { text in
                guard let entry = Entry(String(text)) else {
                    throw IdentityError.unreadable("allowed service \(text)")
                }
                return entry
            }
            guard let list = AllowedServices(entries) else { throw IdentityError.unreadable("too many services") }
            self = list
        } catch {
            throw .unreadable("the list of allowed services: \(error)")
        }
    }
}

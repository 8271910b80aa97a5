internal import Crypto
internal import FoundationEssentials
package import WeftCore
internal import X509

/// The authority on its way to another host that is to hold it too, sealed for that host's key (HPKE, RFC 9180), so that
/// it can travel and be logged like anything else.
///
/// ```
/// "weft grant 1\n" | receiver's intermediate's SHA-256, 32 | length, 4 | encapsulated key | length, 4 | sealed authority
/// ```
package struct AuthorityGrant: Sendable {
    /// Larger ones are refused unread.
    package static let bytesMax = StateStore.bytesMax
    private static let magic = Array("weft grant 1\n".utf8)
    private static let suite = HPKE.Ciphersuite.P256_SHA256_AES_GCM_256

    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// Seals `authority` for a host of its mesh.
    ///
    /// - Parameter host: the host's intermediate, as it showed it in a handshake or as it was signed.
    package init(
        _ authority: MeshAuthority,
        for host: MeshCertificate,
        now: WallTime
    ) throws(IdentityError) {
        guard let node = host.identity?.node, authority.bundle.roots.contains(where: { host.isSigned(by: $0) }) else {
            throw .unknownIssuer
        }
        guard !authority.bundle.isRevoked(node: node, intermediate: host) else { throw .revoked(node) }
        guard host.validity.contains(now) else { throw .issuerNotValid(host.validity) }
        let content = try authority.encoded
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.raw(host.fingerprint.bytes)
        do {
            guard let signing = P256.Signing.PublicKey(host.x509.publicKey) else { throw IdentityError.foreignKey }
            let key = try P256.KeyAgreement.PublicKey(x963Representation: signing.x963Representation)
            var sender = try HPKE.Sender(
                recipientKey: key,
                ciphersuite: Self.suite,
                info: Data(authority.mesh.text.utf8)
            )
            let sealed = try sender.seal(content, authenticating: writer.bytes)
            writer.blob(Array(sender.encapsulatedKey))
            writer.blob(Array(sealed))
        } catch {
            throw .failed("grant: \(error)")
        }
        self.bytes = writer.bytes
    }

    /// Opens a grant on the host that it is for.
    ///
    /// - Parameter bundle: what the host trusts: the authority must be that of one of its roots.
    package func open(by host: NodeIdentity, trusting bundle: TrustBundle) throws(IdentityError) -> MeshAuthority {
        guard bytes.count <= Self.bytesMax else { throw .unreadable("a grant of \(bytes.count) bytes") }
        let authority: MeshAuthority
        do {
            var reader = WireReader(bytes)
            guard try reader.raw(Self.magic.count, "heading") == Self.magic else {
                throw IdentityError.unreadable("not a grant")
            }
            guard try reader.fingerprint("receiver") == host.intermediate.fingerprint else {
                throw IdentityError.unreadable("the grant is for another host, or for an intermediate of before")
            }
            let context = Array(bytes.prefix(reader.offset))
            let encapsulated = try reader.blob("key", maximum: 256)
            let sealed = try reader.blob("content", maximum: Self.bytesMax)
            try reader.end()
            var recipient = try HPKE.Recipient(
                privateKey: P256.KeyAgreement.PrivateKey(rawRepresentation: host.key.raw),
                ciphersuite: Self.suite,
                info: Data(host.mesh.text.utf8),
                encapsulatedKey: Data(encapsulated)
            )
            authority = try MeshAuthority(encoded: Array(recipient.open(sealed, authenticating: context)))
        } catch let error as IdentityError {
            throw error
        } catch {
            throw .unreadable("the grant was changed on its way: \(error)")
        }
        guard authority.mesh == host.mesh, authority.mesh == bundle.mesh else { throw .wrongMesh }
        guard bundle.roots.contains(authority.root) else { throw .unknownIssuer }
        guard authority.root.x509.publicKey == authority.key.publicKey else { throw .foreignKey }
        return authority
    }
}

package import WeftCore
internal import X509

/// What a host that holds the authority under an old root asks the holder of the new root for: the authority as it is
/// now. The old root's key proves that the host held it, so that no word of anybody's about who holds what is needed.
///
/// ```
/// "weft authority 1\n" | length, 4 | intermediate | signing root's SHA-256, 32 | length, 4 | ECDSA signature (DER)
/// ```
package struct AuthorityRequest: Sendable {
    /// Larger ones are refused unread.
    package static let bytesMax = 16 * 1024
    static let magic = Array("weft authority 1\n".utf8)

    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether bytes from a stranger are such a request.
    package static func isRequest(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }
}

extension MeshAuthority {
    /// Whether this is the root that signs now: after a rotation on another host, it is not.
    package var isCurrent: Bool { bundle.roots.first == root }

    /// Asks for the authority of today with the key of this one.
    package func request(for host: NodeIdentity) throws(IdentityError) -> AuthorityRequest {
        var writer = WireWriter()
        writer.raw(AuthorityRequest.magic)
        writer.blob(host.intermediate.der)
        writer.raw(root.fingerprint.bytes)
        writer.blob(try key.sign(writer.bytes))
        return AuthorityRequest(bytes: writer.bytes)
    }

    /// Answers such a request, when a root that is still trusted signed it.
    package func grant(to request: AuthorityRequest, now: WallTime) throws(IdentityError) -> AuthorityGrant {
        guard request.bytes.count <= AuthorityRequest.bytesMax else {
            throw .unreadable("a request of \(request.bytes.count) bytes")
        }
        let (host, signer, signed, signature): (MeshCertificate, Fingerprint, [UInt8], [UInt8])
        do {
            var reader = WireReader(request.bytes)
            guard try reader.raw(AuthorityRequest.magic.count, "heading") == AuthorityRequest.magic else {
                throw IdentityError.unreadable("not a request for the authority")
            }
            host = try reader.certificate("intermediate")
            signer = try reader.fingerprint("signer")
            signed = Array(request.bytes.prefix(reader.offset))
            signature = try reader.blob("signature", maximum: 256)
            try reader.end()
        } catch {
            throw error as? IdentityError ?? .unreadable("a request for the authority")
        }
        guard let signingRoot = bundle.roots.first(where: { $0.fingerprint == signer }) else { throw .unknownIssuer }
        guard IssuerKey.isValid(signature, of: signed, by: signingRoot.x509.publicKey) else { throw .noPossession }
        return try AuthorityGrant(self, for: host, now: now)
    }
}

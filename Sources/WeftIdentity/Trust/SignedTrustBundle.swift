package import WeftCore
internal import X509

/// A trust bundle as it travels and as it is kept: signed by a root, checked before it is used.
///
/// ```
/// "weft trust 1\n" | signing root's SHA-256, 32 | length, 4 | payload | length, 4 | ECDSA signature (DER)
/// payload: mesh | version, 8 | issued, 8 | roots | crossings | revoked hosts (name, time) | serials (number, time)
/// ```
///
/// The signature covers everything before it. Lists have a count of 4 bytes, texts and byte strings a length of 4,
/// times are milliseconds since 1970 in 8 bytes, and lists that are sets are in order: one bundle has one form.
package struct SignedTrustBundle: Sendable, Hashable {
    /// Enough for 4096 revoked hosts with long names. Larger documents are refused unread.
    package static let bytesMax = 1024 * 1024
    private static let magic = Array("weft trust 1\n".utf8)

    /// The whole document.
    package let bytes: [UInt8]
    /// As claimed; `open` says whether it is true.
    package let version: UInt64

    /// Tells documents of one version apart, the same way on every host.
    package var fingerprint: Fingerprint { Fingerprint(of: bytes) }

    /// Whether this one takes the other's place, once it has been opened.
    package func isNewer(than other: SignedTrustBundle) -> Bool {
        (version, fingerprint) > (other.version, other.fingerprint)
    }

    init(_ bundle: TrustBundle, signedBy root: MeshCertificate, with key: IssuerKey) throws(IdentityError) {
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.raw(root.fingerprint.bytes)
        writer.blob(bundle.payload)
        writer.blob(try key.sign(writer.bytes))
        self.bytes = writer.bytes
        self.version = bundle.version
    }

    /// Takes bytes from a peer or a file; reads no more than the version.
    package init(bytes: [UInt8]) throws(BundleRefusal) {
        do {
            self.version = try Self.read(bytes).bundle.version
        } catch {
            throw .malformed(what: error.what, at: error.offset)
        }
        self.bytes = bytes
    }

    /// Checks the signature and gives the bundle.
    ///
    /// - Parameter roots: the roots that this host trusts already; at the first join, the one that the token pins. A
    ///   root of the bundle that one of them has crossed over to is as good.
    package func open(mesh: MeshName, trusting roots: [MeshCertificate]) throws(BundleRefusal) -> TrustBundle {
        let document: (bundle: TrustBundle, signer: Fingerprint, signed: [UInt8], signature: [UInt8])
        do {
            document = try Self.read(bytes)
        } catch {
            throw .malformed(what: error.what, at: error.offset)
        }
        let bundle = document.bundle
        guard bundle.mesh == mesh else { throw .wrongMesh(bundle.mesh) }
        guard let root = (roots + bundle.roots).first(where: { $0.fingerprint == document.signer }),
            roots.contains(root) || Self.isCrossed(to: root, from: roots, by: bundle.crossings)
        else { throw .unknownSigner }
        guard IssuerKey.isValid(document.signature, of: document.signed, by: root.x509.publicKey) else {
            throw .badSignature
        }
        return bundle
    }

    /// Opens a document that this host trusted before and has kept: the signature only tells that it is whole.
    func open(mesh: MeshName) throws(BundleRefusal) -> TrustBundle {
        let roots: [MeshCertificate]
        do {
            roots = try Self.read(bytes).bundle.roots
        } catch {
            throw .malformed(what: error.what, at: error.offset)
        }
        return try open(mesh: mesh, trusting: roots)
    }

    /// Whether a chain of crossings leads from one of `roots` to the key of `root`.
    private static func isCrossed(
        to root: MeshCertificate,
        from roots: [MeshCertificate],
        by crossings: [MeshCertificate]
    ) -> Bool {
        var trusted = roots
        for _ in crossings {
            trusted += crossings.filter { crossing in trusted.contains { crossing.isSigned(by: $0) } }
        }
        return trusted.contains { $0.x509.publicKey == root.x509.publicKey }
    }

    private static func read(
        _ bytes: [UInt8]
    ) throws(WireError) -> (bundle: TrustBundle, signer: Fingerprint, signed: [UInt8], signature: [UInt8]) {
        guard bytes.count <= bytesMax else { throw WireError(what: "size", offset: bytesMax, isTruncated: false) }
        var reader = WireReader(bytes)
        guard try reader.raw(magic.count, "heading") == magic else {
            throw WireError(what: "heading", offset: 0, isTruncated: false)
        }
        let signer = try reader.fingerprint("signer")
        let payload = try reader.blob("payload", maximum: bytesMax)
        let end = reader.offset
        let signature = try reader.blob("signature", maximum: 256)
        try reader.end()
        return (try TrustBundle(payload: payload), signer, Array(bytes[..<end]), signature)
    }
}

/// Why a trust bundle was refused. `description` is for people.
package enum BundleRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    case malformed(what: String, at: Int)
    case wrongMesh(MeshName)
    /// Signed by a root that this host does not trust and that none of its roots crossed over to.
    case unknownSigner
    case badSignature

    package var description: String {
        switch self {
        case .malformed(let what, let offset): "the trust bundle is malformed at byte \(offset): \(what)"
        case .wrongMesh(let mesh): "the trust bundle belongs to the mesh \(mesh)"
        case .unknownSigner: "the trust bundle is signed by a root that this host does not trust"
        case .badSignature: "the trust bundle was changed after it was signed"
        }
    }
}

extension TrustBundle {
    var payload: [UInt8] {
        var writer = WireWriter()
        writer.text(mesh.text)
        writer.number(version)
        writer.time(issued)
        writer.certificates(roots)
        writer.certificates(crossings)
        writer.list(revokedNodes.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key.text)
            writer.time(entry.value)
        }
        writer.list(revokedSerials.sorted { $0.key < $1.key }) { writer, entry in
            writer.blob(entry.key.bytes)
            writer.time(entry.value)
        }
        return writer.bytes
    }

    init(payload: [UInt8]) throws(WireError) {
        var reader = WireReader(payload)
        let mesh = try reader.mesh()
        let version: UInt64 = try reader.number("version")
        let issued = try reader.time("issued")
        let roots = try reader.certificates("roots", maximum: Self.rootsMax)
        let crossings = try reader.certificates("crossings", maximum: Self.crossingsMax)
        let nodes = try reader.list("revoked hosts", maximum: Self.revocationsMax) { reader throws(WireError) in
            (try reader.node(), try reader.time("revocation"))
        }
        let serials = try reader.list("revoked serials", maximum: Self.revocationsMax) { reader throws(WireError) in
            let bytes = try reader.blob("serial", maximum: CertificateSerial.bytesMax)
            return (CertificateSerial(bytes), try reader.time("revocation"))
        }
        try reader.end()
        self.init(
            mesh: mesh,
            version: version,
            issued: issued,
            roots: roots,
            crossings: crossings,
            revokedNodes: Dictionary(nodes, uniquingKeysWith: max),
            revokedSerials: Dictionary(serials, uniquingKeysWith: max)
        )
    }
}

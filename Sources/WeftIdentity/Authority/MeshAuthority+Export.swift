internal import SwiftASN1
package import WeftCore
internal import X509

/// The authority's key as text, for keeping it offline and for bringing one from outside. The one place where a private
/// key leaves this module, by the explicit wish of who runs `weft ca export` or `weft ca import`.
///
/// The form is plain PEM: PKCS #8 for the key, then the certificates. It is not encrypted here, as the tools that people
/// have for that do it better: `weft ca export | openssl pkcs8 -topk8 ...`, `age`, a file of mode 0600 on removable disk.
extension MeshAuthority {
    /// Longer text is refused.
    package static let pemBytesMax = 64 * 1024

    /// Key, certificate, and what leads on to an outside root. Whoever has this text is the authority.
    package func exportPEM() throws(IdentityError) -> String {
        try key.pem() + ([root] + upper).map(\.pem).joined()
    }

    /// Takes over the role of the mesh's authority on this host, with the key of the present root: from `exportPEM`, or
    /// after the key was kept offline.
    ///
    /// - Parameter bundle: what the host trusts already; the authority goes on from there.
    package init(pem: String, bundle: TrustBundle, now: WallTime) throws(IdentityError) {
        let found = try Self.read(pem, mesh: bundle.mesh, now: now)
        guard bundle.roots.contains(found.root) else { throw .unknownIssuer }
        self.init(mesh: bundle.mesh, root: found.root, upper: found.upper, bundle: bundle, key: found.key)
    }

    /// Founds a mesh on an authority from outside, such as one that a company's root has signed.
    ///
    /// Hosts trust the certificate that belongs to the key, and not the company's root: what else the company signs has
    /// no way into the mesh.
    package static func found(
        _ mesh: MeshName,
        pem: String,
        now: WallTime
    ) throws(IdentityError) -> MeshAuthority {
        let found = try read(pem, mesh: mesh, now: now)
        let bundle = TrustBundle(mesh: mesh, version: 1, issued: now, roots: [found.root])
        return MeshAuthority(mesh: mesh, root: found.root, upper: found.upper, bundle: bundle, key: found.key)
    }

    /// Rotates to an authority from outside: step 1 of a rotation.
    package mutating func prepareRotation(
        pem: String,
        now: WallTime,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) {
        let found = try Self.read(pem, mesh: mesh, now: now)
        let secret = Rotation.Next(key: found.key, upper: found.upper)
        try prepareRotation(to: found.root, secret, now: now, using: &rng)
    }

    private static func read(
        _ pem: String,
        mesh: MeshName,
        now: WallTime
    ) throws(IdentityError) -> (root: MeshCertificate, upper: [MeshCertificate], key: IssuerKey) {
        guard pem.utf8.count <= pemBytesMax else { throw .unreadable("more than \(pemBytesMax) bytes of PEM") }
        let documents: [PEMDocument]
        do {
            documents = try PEMDocument.parseMultiple(pemString: pem)
        } catch {
            throw .unreadable("not PEM: \(error)")
        }
        var certificates: [MeshCertificate] = []
        for document in documents where document.discriminator == "CERTIFICATE" {
            certificates.append(try MeshCertificate(der: document.derBytes))
        }
        let keys = documents.filter { $0.discriminator.hasSuffix("PRIVATE KEY") }
        guard keys.count == 1, certificates.count <= NodeIdentity.chainMax else {
            throw .unreadable("the PEM text needs one private key and its certificates")
        }
        guard keys[0].discriminator != "ENCRYPTED PRIVATE KEY" else {
            throw .unreadable("the private key is encrypted; decrypt it with openssl pkcs8 first")
        }
        let key = try IssuerKey(pem: keys[0].pemString)
        guard let index = certificates.firstIndex(where: { $0.x509.publicKey == key.publicKey }) else {
            throw .foreignKey
        }
        let root = certificates.remove(at: index)
        try check(root, mesh: mesh, now: now)
        return (root, certificates, key)
    }

    /// An authority needs to be one: able to sign for hosts that sign for workloads, now, under a name.
    private static func check(
        _ root: MeshCertificate,
        mesh: MeshName,
        now: WallTime
    ) throws(IdentityError) {
        guard root.validity.contains(now) else { throw .issuerNotValid(root.validity) }
        guard !root.x509.subject.isEmpty else { throw .unreadable("the authority's certificate has no subject") }
        let extensions = root.x509.extensions
        guard case .isCertificateAuthority(let pathLength)? = (try? extensions.basicConstraints),
            pathLength ?? 1 >= 1, (try? extensions.keyUsage)?.keyCertSign ?? true
        else {
            throw .unreadable("the certificate may not sign for authorities below it (CA, path length of 1 or more)")
        }
        guard let names = root.uriNames, names.isEmpty || names == ["spiffe://\(mesh)"] else { throw .wrongMesh }
    }
}

internal import SwiftASN1
internal import WeftCore
internal import X509

/// What weft's certificates look like. The four kinds differ in name, length of path, usage and time only.
///
/// ```
/// root          CN=MESH           spiffe://MESH                    CA, any path length   10 years
/// crossing      CN=MESH           as the new root, signed by the old one                 until the old root's end
/// intermediate  O=MESH, CN=NODE   spiffe://MESH/ns/weft/sa/NODE    CA, path length 0     30 days
/// leaf          (empty)           spiffe://MESH/ns/TENANT/sa/NAME  both TLS usages       24 hours
/// ```
struct CertificateProfile {
    let subject: DistinguishedName
    let uri: String
    let kind: Kind
    let validity: ValidityPeriod

    enum Kind {
        case root
        case intermediate(AllowedServices?)
        case leaf
    }

    /// RFC 5280, appendix A.1: ub-common-name.
    private static let commonNameMax = 64

    static func root(_ mesh: MeshName, _ validity: ValidityPeriod) throws(IdentityError) -> CertificateProfile {
        CertificateProfile(
            subject: try name { try DistinguishedName { CommonName(mesh.text) } },
            uri: "spiffe://\(mesh)",
            kind: .root,
            validity: validity
        )
    }

    /// The common name is for people; names longer than X.509 has room for are cut there, never in the URI.
    static func intermediate(
        _ identity: SpiffeID,
        allowed: AllowedServices?,
        _ validity: ValidityPeriod
    ) throws(IdentityError) -> CertificateProfile {
        let subject = try name {
            try DistinguishedName {
                OrganizationName(identity.mesh.text)
                CommonName(String(identity.account.prefix(commonNameMax)))
            }
        }
        return CertificateProfile(
            subject: subject,
            uri: identity.description,
            kind: .intermediate(allowed),
            validity: validity
        )
    }

    static func leaf(_ identity: SpiffeID, _ validity: ValidityPeriod) -> CertificateProfile {
        CertificateProfile(
            subject: DistinguishedName(),
            uri: identity.description,
            kind: .leaf,
            validity: validity
        )
    }

    /// Signs a certificate of this shape for `key`. Without an issuer's certificate it is self-signed.
    func sign(
        _ key: Certificate.PublicKey,
        by issuer: Certificate?,
        with issuerKey: Certificate.PrivateKey,
        using rng: inout some RandomNumberGenerator
    ) throws(IdentityError) -> MeshCertificate {
        do {
            let certificate = try Certificate(
                version: .v3,
                serialNumber: Certificate.SerialNumber(bytes: Self.serial(using: &rng)),
                publicKey: key,
                notValidBefore: validity.notBefore.date,
                notValidAfter: validity.notAfter.date,
                issuer: issuer?.subject ?? subject,
                subject: subject,
                extensions: extensions(key, issuerKey: issuerKey.publicKey, issuer: issuer),
                issuerPrivateKey: issuerKey
            )
            return try MeshCertificate(certificate)
        } catch let error as IdentityError {
            throw error
        } catch {
            throw .failed("\(uri): \(error)")
        }
    }

    /// 127 random bits: positive, never empty, too many to meet twice.
    private static func serial(using rng: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = [UInt8](random: 16, using: &rng)
        bytes[0] = bytes[0] & 0x7f | 0x40
        return bytes
    }

    private static func name(
        _ make: () throws -> DistinguishedName
    ) throws(IdentityError) -> DistinguishedName {
        do {
            return try make()
        } catch {
            throw .failed("name: \(error)")
        }
    }
}

extension CertificateProfile {
    private func extensions(
        _ key: Certificate.PublicKey,
        issuerKey: Certificate.PublicKey,
        issuer: Certificate?
    ) throws -> Certificate.Extensions {
        // The issuer's own word for its key, which an authority from outside may have made another way.
        let issuerID = try issuer?.extensions.subjectKeyIdentifier ?? SubjectKeyIdentifier(hash: issuerKey)
        let names = SubjectAlternativeNames([.uniformResourceIdentifier(uri)])
        var list: [Certificate.Extension] = [
            // RFC 5280, section 4.2.1.6: critical where the subject is empty.
            try Certificate.Extension(names, critical: subject.isEmpty),
            try Certificate.Extension(SubjectKeyIdentifier(hash: key), critical: false),
            try Certificate.Extension(
                AuthorityKeyIdentifier(keyIdentifier: issuerID.keyIdentifier),
                critical: false
            ),
        ]
        switch kind {
        case .root:
            list += try authority(pathLength: nil)
        case .intermediate(let allowed):
            list += try authority(pathLength: 0)
            if let allowed { list.append(try allowed.makeExtension()) }
        case .leaf:
            list += [
                try Certificate.Extension(BasicConstraints.notCertificateAuthority, critical: true),
                try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                try Certificate.Extension(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false),
            ]
        }
        return try Certificate.Extensions(list)
    }

    private func authority(pathLength: Int?) throws -> [Certificate.Extension] {
        [
            try Certificate.Extension(
                BasicConstraints.isCertificateAuthority(maxPathLength: pathLength),
                critical: true
            ),
            try Certificate.Extension(KeyUsage(keyCertSign: true, cRLSign: true), critical: true),
        ]
    }
}

extension [UInt8] {
    /// `count` bytes from `rng`.
    init(random count: Int, using rng: inout some RandomNumberGenerator) {
        self = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &rng) }
    }
}

import Crypto
import FoundationEssentials
import SwiftASN1
import WeftCore
import WeftIdentity
import X509

/// An authority whose key the test holds, so that it can sign what weft's own never would.
struct Forge {
    let rootKey = P256.Signing.PrivateKey()
    let root: Certificate
    let authority: MeshAuthority
    let now: WallTime

    /// One certificate, wrong in whichever way a test asks for; right by default.
    struct Plan {
        var uris: [String] = ["spiffe://prod/ns/system/sa/api"]
        var subject = DistinguishedName()
        var notBefore = Duration.hours(-1)
        var notAfter = Duration.hours(24)
        var constraints: BasicConstraints? = .notCertificateAuthority
        var keyUsage: KeyUsage? = KeyUsage(digitalSignature: true)
        var purposes: [ExtendedKeyUsage.Usage]? = [.serverAuth, .clientAuth]
        var more: [Certificate.Extension] = []

        static func intermediate(_ uri: String = "spiffe://prod/ns/weft/sa/web-1") throws -> Plan {
            var plan = Plan()
            plan.uris = [uri]
            plan.subject = try DistinguishedName { CommonName(uri) }
            plan.notAfter = .days(30)
            plan.constraints = .isCertificateAuthority(maxPathLength: 0)
            plan.keyUsage = KeyUsage(keyCertSign: true, cRLSign: true)
            plan.purposes = nil
            return plan
        }
    }

    init(_ name: String = "prod", now: WallTime = TestMesh.start) throws {
        self.now = now
        var plan = try Plan.intermediate("spiffe://\(name)")
        plan.constraints = .isCertificateAuthority(maxPathLength: nil)
        plan.notAfter = .days(3650)
        self.root = try Self.make(
            plan,
            key: rootKey.publicKey,
            issuer: plan.subject,
            issuerKey: rootKey,
            now: TestMesh.start
        )
        self.authority = try MeshAuthority.found(mesh(name), pem: pem([root], rootKey), now: now)
    }

    var verifier: PeerVerifier { PeerVerifier(bundle: authority.bundle) }

    func signed(_ plan: Plan, key: P256.Signing.PrivateKey) throws -> Certificate {
        try Self.make(plan, key: key.publicKey, issuer: root.subject, issuerKey: rootKey, now: now)
    }

    /// The root, an intermediate and a leaf, changed as the test likes; what a peer would present.
    func chain(
        leaf changeLeaf: (inout Plan) throws -> Void = { _ in },
        intermediate changeIntermediate: (inout Plan) throws -> Void = { _ in }
    ) throws -> [[UInt8]] {
        var leaf = Plan()
        var intermediate = try Plan.intermediate()
        try changeLeaf(&leaf)
        try changeIntermediate(&intermediate)
        let key = P256.Signing.PrivateKey()
        let issuer = try signed(intermediate, key: key)
        let end = try Self.make(
            leaf,
            key: P256.Signing.PrivateKey().publicKey,
            issuer: issuer.subject,
            issuerKey: key,
            now: now
        )
        return try [end, issuer].map(der)
    }

    static func make(
        _ plan: Plan,
        key: P256.Signing.PublicKey,
        issuer: DistinguishedName,
        issuerKey: P256.Signing.PrivateKey,
        now: WallTime
    ) throws -> Certificate {
        var extensions = plan.more
        if !plan.uris.isEmpty {
            let names = SubjectAlternativeNames(plan.uris.map { .uniformResourceIdentifier($0) })
            extensions.append(try Certificate.Extension(names, critical: plan.subject.isEmpty))
        }
        if let constraints = plan.constraints {
            extensions.append(try Certificate.Extension(constraints, critical: true))
        }
        if let usage = plan.keyUsage { extensions.append(try Certificate.Extension(usage, critical: true)) }
        if let purposes = plan.purposes {
            extensions.append(try Certificate.Extension(ExtendedKeyUsage(purposes), critical: false))
        }
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key),
            notValidBefore: date(now + plan.notBefore),
            notValidAfter: date(now + plan.notAfter),
            issuer: issuer,
            subject: plan.subject,
            extensions: Certificate.Extensions(extensions),
            issuerPrivateKey: Certificate.PrivateKey(issuerKey)
        )
    }
}

func date(_ time: WallTime) -> Date { Date(timeIntervalSince1970: Double(time.millisecondsSince1970) / 1000) }

func der(_ certificate: Certificate) throws -> [UInt8] {
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return serializer.serializedBytes
}

/// A key and its certificates as `weft ca import` takes them.
func pem(_ certificates: [Certificate], _ key: P256.Signing.PrivateKey) throws -> String {
    let texts = try certificates.map { try $0.serializeAsPEM().pemString }
    return ([key.pemRepresentation] + texts).joined(separator: "\n") + "\n"
}

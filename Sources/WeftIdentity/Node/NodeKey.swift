internal import Crypto
internal import SwiftASN1
package import WeftCore
internal import X509

/// A host's own key: ECDSA on P-256, made on the host, and never out of this module but into the state file.
package struct NodeKey: Sendable {
    private let hidden: Hidden<P256.Signing.PrivateKey>

    /// Makes a new key from the system's generator.
    package init() { self.hidden = Hidden(P256.Signing.PrivateKey()) }

    /// The 32 bytes of the scalar, as the state file keeps them.
    init(raw: [UInt8]) throws(IdentityError) {
        do {
            self.hidden = Hidden(try P256.Signing.PrivateKey(rawRepresentation: raw))
        } catch {
            throw .unreadable("not a P-256 key")
        }
    }

    var raw: [UInt8] { Array(hidden.value.rawRepresentation) }

    var x509: Certificate.PrivateKey { Certificate.PrivateKey(hidden.value) }

    var publicKey: Certificate.PublicKey { x509.publicKey }

    /// What a host gives to the authority to get its intermediate: its name and its public key, signed by the key.
    package func request(for identity: SpiffeID) throws(IdentityError) -> NodeRequest {
        do {
            let names = SubjectAlternativeNames([.uniformResourceIdentifier(identity.description)])
            let extensions = try Certificate.Extensions([Certificate.Extension(names, critical: true)])
            let attribute = try CertificateSigningRequest.Attribute(ExtensionRequest(extensions: extensions))
            let request = try CertificateSigningRequest(
                version: .v1,
                subject: DistinguishedName(),
                privateKey: x509,
                attributes: CertificateSigningRequest.Attributes([attribute])
            )
            var serializer = DER.Serializer()
            try serializer.serialize(request)
            return NodeRequest(der: serializer.serializedBytes, key: publicKey, identity: identity)
        } catch {
            throw .failed("request: \(error)")
        }
    }
}

/// A certificate signing request (PKCS #10) of a host, whose signature has been checked: who made it holds the key.
package struct NodeRequest: Sendable {
    /// Larger ones are refused unread.
    package static let bytesMax = 4 * 1024

    package let der: [UInt8]
    let key: Certificate.PublicKey
    /// The name asked for. Whether the asker may have it is the authority's question.
    package let identity: SpiffeID

    fileprivate init(der: [UInt8], key: Certificate.PublicKey, identity: SpiffeID) {
        self.der = der
        self.key = key
        self.identity = identity
    }

    /// Reads and checks a request from a peer.
    package init(der: [UInt8]) throws(IdentityError) {
        guard der.count <= Self.bytesMax else { throw .unreadable("a request of \(der.count) bytes") }
        let request: CertificateSigningRequest
        let names: SubjectAlternativeNames?
        do {
            request = try CertificateSigningRequest(derEncoded: der)
            names = try request.attributes.extensionRequest?.extensions.subjectAlternativeNames
        } catch {
            throw .unreadable("not a signing request: \(error)")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request) else { throw .noPossession }
        // One kind of key, so that every peer can check what hangs on it.
        guard P256.Signing.PublicKey(request.publicKey) != nil else { throw .unreadable("the key is not P-256") }
        guard let names, names.count == 1, case .uniformResourceIdentifier(let uri)? = names.first,
            let identity = SpiffeID(uri), identity.node != nil
        else { throw .unreadable("the request does not name one host") }
        self.init(der: der, key: request.publicKey, identity: identity)
    }

    /// The host that asks.
    package var node: NodeName? { identity.node }

    /// Tells the key apart from others: SHA-256 of its public form.
    package var keyFingerprint: Fingerprint { Fingerprint(of: Array(key.subjectPublicKeyInfoBytes)) }
}

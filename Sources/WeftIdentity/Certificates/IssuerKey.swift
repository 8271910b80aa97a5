internal import Crypto
internal import SwiftASN1
internal import X509

/// The private key of an authority: ECDSA on P-256, which weft makes, or on P-384, which companies like to bring.
struct IssuerKey: Sendable {
    private let hidden: Hidden<Certificate.PrivateKey>
    let publicKey: Certificate.PublicKey

    /// Makes a new P-256 key from the system's generator.
    init() { self.init(known: Certificate.PrivateKey(P256.Signing.PrivateKey())) }

    /// Reads a PEM block `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (RFC 5915).
    init(pem: String) throws(IdentityError) {
        let key: Certificate.PrivateKey
        do {
            key = try Certificate.PrivateKey(pemEncoded: pem)
        } catch {
            throw .unreadable("not a private key: \(error)")
        }
        guard Self.algorithm(of: key.publicKey) != nil else {
            throw .unreadable("the key is \(key.publicKey); an authority's must be ECDSA P-256 or P-384")
        }
        self.init(known: key)
    }

    private init(known key: Certificate.PrivateKey) {
        self.hidden = Hidden(key)
        self.publicKey = key.publicKey
    }

    /// For making certificates inside this module.
    var x509: Certificate.PrivateKey { hidden.value }

    /// PKCS #8, for the explicit export and for the state file.
    func pem() throws(IdentityError) -> String {
        do {
            return try hidden.value.serializeAsPEM().pemString + "\n"
        } catch {
            throw .failed("key: \(error)")
        }
    }

    /// Signs `content` with the hash that fits the curve.
    func sign(_ content: [UInt8]) throws(IdentityError) -> [UInt8] {
        do {
            let algorithm = Self.algorithm(of: publicKey) ?? .ecdsaWithSHA256
            return try hidden.value.sign(bytes: content, signatureAlgorithm: algorithm).rawRepresentation
        } catch {
            throw .failed("signature: \(error)")
        }
    }

    /// Whether `signature` is this key's under `content`.
    static func isValid(_ signature: [UInt8], of content: [UInt8], by key: Certificate.PublicKey) -> Bool {
        guard let algorithm = algorithm(of: key) else { return false }
        return key.isValidSignature(signature, for: content, signatureAlgorithm: algorithm)
    }

    private static func algorithm(of key: Certificate.PublicKey) -> Certificate.SignatureAlgorithm? {
        if P256.Signing.PublicKey(key) != nil { return .ecdsaWithSHA256 }
        if P384.Signing.PublicKey(key) != nil { return .ecdsaWithSHA384 }
        return nil
    }
}

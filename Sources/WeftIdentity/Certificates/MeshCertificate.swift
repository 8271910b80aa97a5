internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
package import WeftCore
internal import X509

/// One X.509 certificate: its bytes, and what weft asks of it. Holds no private key.
package struct MeshCertificate: Sendable, Hashable {
    /// Larger ones are refused unread: a certificate of weft's has about 500 bytes.
    package static let bytesMax = 8 * 1024

    package let der: [UInt8]
    let x509: Certificate

    /// Reads DER.
    package init(der: [UInt8]) throws(IdentityError) {
        guard der.count <= Self.bytesMax else { throw .unreadable("a certificate of \(der.count) bytes") }
        do {
            self.x509 = try Certificate(derEncoded: der)
        } catch {
            throw .unreadable("not a certificate: \(error)")
        }
        self.der = der
    }

    init(_ certificate: Certificate) throws(IdentityError) {
        do {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            self.der = serializer.serializedBytes
        } catch {
            throw .failed("certificate: \(error)")
        }
        self.x509 = certificate
    }

    package static func == (left: MeshCertificate, right: MeshCertificate) -> Bool { left.der == right.der }

    package func hash(into hasher: inout Hasher) { hasher.combine(der) }

    package var validity: ValidityPeriod {
        ValidityPeriod(notBefore: WallTime(x509.notValidBefore), notAfter: WallTime(x509.notValidAfter))
    }

    package var serial: CertificateSerial { CertificateSerial(Array(x509.serialNumber.bytes)) }

    /// SHA-256 of the DER form: what join tokens pin.
    package var fingerprint: Fingerprint { Fingerprint(of: der) }

    /// Tells the key apart from others, as `NodeRequest.keyFingerprint` does.
    package var keyFingerprint: Fingerprint { Fingerprint(of: Array(x509.publicKey.subjectPublicKeyInfoBytes)) }

    /// The only URI name, if it is an identity; nil when there is none, more than one, or it has another shape.
    package var identity: SpiffeID? {
        guard let names = uriNames, names.count == 1 else { return nil }
        return SpiffeID(names[0])
    }

    /// All URI names; nil when the extension cannot be read.
    var uriNames: [String]? {
        guard let names = try? x509.extensions.subjectAlternativeNames else {
            return x509.extensions[oid: .X509ExtensionID.subjectAlternativeName] == nil ? [] : nil
        }
        return names.compactMap { if case .uniformResourceIdentifier(let uri) = $0 { uri } else { nil } }
    }

    /// Whether `issuer`'s name and key made this certificate. Costs one signature check when the names agree.
    func isSigned(by issuer: MeshCertificate) -> Bool {
        x509.issuer == issuer.x509.subject && x509.signatureAlgorithm != .sha1WithRSAEncryption
            && issuer.x509.publicKey.isValidSignature(x509.signature, for: x509)
    }

    /// PEM, for people and their tools.
    package var pem: String { PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n" }
}

/// A certificate's serial number, without leading zeros.
package struct CertificateSerial: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// RFC 5280, section 4.1.2.2.
    package static let bytesMax = 20

    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = Array(bytes.drop { $0 == 0 }) }

    /// Hexadecimal, as openssl shows it.
    package var description: String { hexadecimal(bytes) }

    package static func < (left: CertificateSerial, right: CertificateSerial) -> Bool {
        (left.bytes.count, left.description) < (right.bytes.count, right.description)
    }
}

/// The SHA-256 of something.
package struct Fingerprint: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    package init(of content: [UInt8]) { self.bytes = Array(SHA256.hash(data: content)) }

    init(of content: ArraySlice<UInt8>) { self.bytes = Array(SHA256.hash(data: content)) }

    /// 64 hexadecimal digits.
    package var description: String { hexadecimal(bytes) }

    package static func < (left: Fingerprint, right: Fingerprint) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension WallTime {
    /// X.509 times are whole seconds.
    init(_ date: Date) { self.init(millisecondsSince1970: Int64((date.timeIntervalSince1970).rounded()) * 1000) }

    var date: Date { Date(timeIntervalSince1970: Double(wholeSeconds.millisecondsSince1970 / 1000)) }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

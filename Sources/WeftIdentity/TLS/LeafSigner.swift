internal import Crypto
internal import NIOCore
internal import NIOSSL

/// Signs handshakes with a workload's key, without giving the key to NIOSSL: a `NIOSSLContext` shows its configuration,
/// and with it the bytes of a native key, to whoever holds it.
struct LeafSigner: NIOSSLCustomPrivateKey, Hashable {
    private let key: Hidden<P256.Signing.PrivateKey>
    private let serial: CertificateSerial

    init(_ certificate: WorkloadCertificate) {
        self.key = certificate.key
        self.serial = certificate.leaf.serial
    }

    var signatureAlgorithms: [SignatureAlgorithm] { [.ecdsaSecp256R1Sha256] }

    func sign(channel: any Channel, algorithm: SignatureAlgorithm, data: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        do {
            let signature = try key.value.signature(for: Array(buffer: data))
            return channel.eventLoop.makeSucceededFuture(ByteBuffer(bytes: signature.derRepresentation))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// Only RSA key exchange asks for this, which TLS 1.3 does not have.
    func decrypt(channel: any Channel, data: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        channel.eventLoop.makeFailedFuture(NIOSSLError.unableToValidateCertificate)
    }

    /// A leaf's number stands for its key: every leaf has a key of its own.
    static func == (left: LeafSigner, right: LeafSigner) -> Bool { left.serial == right.serial }

    func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}

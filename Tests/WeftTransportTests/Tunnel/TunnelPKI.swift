import Glibc
import NIOSSL
import WeftCore
import WeftTransport

/// The certificates of hbone.md appendix A, made once for a run by openssl in a temporary directory.
final class TunnelPKI: Sendable {
    /// Who has a certificate from the mesh's authority; `rogue` has one from another.
    static let names = ["client", "server", "intruder", "foreign", "rogue"]

    static let shared = Result { try TunnelPKI() }

    let directory: String
    private let issued: Set<[UInt8]>

    private init() throws {
        var template = Array("/tmp/weft-tunnel-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestError("mkdtemp: errno \(errno)") }
        directory = String(cString: made)
        let status = Self.run(Self.script, in: directory)
        guard status == 0 else { throw TestError("openssl: status \(status)") }
        var issued: Set<[UInt8]> = []
        for name in Self.names where name != "rogue" {
            issued.insert(try NIOSSLCertificate.fromPEMFile("\(directory)/\(name).crt")[0].toDERBytes())
        }
        self.issued = issued
    }

    /// Whether the mesh's authority has signed it: the list stands in for the check of the signature.
    func hasIssued(_ certificate: NIOSSLCertificate) -> Bool {
        guard let bytes = try? certificate.toDERBytes() else { return false }
        return issued.contains(bytes)
    }

    static func identity(_ name: String) -> SpiffeID {
        let mesh = name == "foreign" ? "other.test" : "mesh.test"
        guard let identity = SpiffeID("spiffe://\(mesh)/ns/default/sa/\(name)") else { preconditionFailure(name) }
        return identity
    }

    private static let script = """
        set -e
        ca() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key
          openssl req -x509 -new -key $1.key -subj "/CN=$1" -days 10 -sha256 -out $1.pem; }
        leaf() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out $1.key
          openssl req -new -key $1.key -subj "/" -out $1.csr
          printf 'basicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' > $1.ext
          printf 'extendedKeyUsage=serverAuth,clientAuth\\nsubjectAltName=critical,URI:%s\\n' "$2" >> $1.ext
          openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days 10 -sha256 -extfile $1.ext \
            -out $1.crt; }
        ca ca; ca other
        for n in client server intruder; do leaf $n spiffe://mesh.test/ns/default/sa/$n ca; done
        leaf foreign spiffe://other.test/ns/default/sa/foreign ca
        leaf rogue spiffe://mesh.test/ns/default/sa/rogue other
        """

    private static func run(_ script: String, in directory: String) -> CInt {
        let arguments = ["/bin/sh", "-c", "cd \(directory) && { \(script)\n} > openssl.log 2>&1"]
        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/bin/sh", nil, nil, &argv, environ) == 0 else { return -1 }
        var status: CInt = 0
        guard waitpid(pid, &status, 0) == pid else { return -1 }
        return status
    }
}

/// Trust as the tests need it: one node's certificates, and a check of the list, the trust domain and the name.
final class TestTrust: TunnelTrust {
    var minimumVersion = TLSVersion.tlsv13
    var maximumVersion: TLSVersion? = .tlsv13
    /// What a server shows to clients that ask for nothing.
    var serverName = "server"
    /// Whether clients ask for a service by name.
    var usesSNI = false
    /// Dial without a certificate.
    var showsNothing = false
    /// Believe everything: for a client that wants to be refused by the other side.
    var isBlind = false
    private let pki: TunnelPKI

    init() throws { pki = try TunnelPKI.shared.get() }

    func clientContext(for source: SpiffeID) throws -> NIOSSLContext? {
        guard TunnelPKI.names.contains(source.account) else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .noHostnameVerification
        configuration.applicationProtocols = ["h2"]
        configuration.minimumTLSVersion = minimumVersion
        configuration.maximumTLSVersion = maximumVersion
        if !showsNothing { try show(source.account, in: &configuration) }
        return try NIOSSLContext(configuration: configuration)
    }

    func serverContext(forServerName serverName: String?) throws -> NIOSSLContext {
        let name = serverName.flatMap { $0.split(separator: ".").first.map(String.init) } ?? self.serverName
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [],
            privateKey: .privateKey(try key(name))
        )
        configuration.certificateVerification = .noHostnameVerification
        configuration.applicationProtocols = ["h2"]
        configuration.minimumTLSVersion = minimumVersion
        configuration.maximumTLSVersion = maximumVersion
        try show(name, in: &configuration)
        return try NIOSSLContext(configuration: configuration)
    }

    func serverName(for destination: SpiffeID) -> String? { usesSNI ? "\(destination.account).mesh.test" : nil }

    func verify(_ presented: [NIOSSLCertificate], as role: TunnelRole) -> Result<TunnelPeer, TunnelRefusal> {
        guard let leaf = presented.first, let identity = uri(of: leaf).flatMap(SpiffeID.init) else {
            return .failure(TunnelRefusal(name: "no-identity", description: "no SPIFFE name"))
        }
        if isBlind { return .success(TunnelPeer(identity: identity)) }
        guard pki.hasIssued(leaf) else {
            return .failure(TunnelRefusal(name: "unknown-authority", description: "signed by somebody else"))
        }
        guard identity.mesh.text == "mesh.test" else {
            return .failure(TunnelRefusal(name: "wrong-trust-domain", description: "of \(identity.mesh)"))
        }
        return .success(TunnelPeer(identity: identity))
    }

    private func uri(of certificate: NIOSSLCertificate) -> String? {
        for name in certificate._subjectAlternativeNames() where name.nameType == .uri {
            return String(decoding: name.contents.withUnsafeBufferPointer(Array.init), as: UTF8.self)
        }
        return nil
    }

    private func show(_ name: String, in configuration: inout TLSConfiguration) throws {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile("\(pki.directory)/\(name).crt")
            .map { .certificate($0) }
        configuration.privateKey = .privateKey(try key(name))
    }

    private func key(_ name: String) throws -> NIOSSLPrivateKey {
        try NIOSSLPrivateKey(file: "\(pki.directory)/\(name).key", format: .pem)
    }
}

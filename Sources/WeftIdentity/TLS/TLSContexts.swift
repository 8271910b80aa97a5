internal import NIOSSL
internal import WeftCore

/// Makes the snapshots of what this host is.
///
/// Owned by the control side, which calls `snapshot` when a certificate was minted or renewed, a workload has gone, or
/// the bundle has changed. Not for event loops: they hold an `IdentitySnapshot`.
package struct TLSContexts: Sendable {
    private let applicationProtocols: [String]

    /// - Parameter applicationProtocols: what tunnels offer and demand by ALPN.
    package init(applicationProtocols: [String] = ["h2"]) { self.applicationProtocols = applicationProtocols }

    /// Makes the snapshot of what this host is now.
    ///
    /// - Parameters:
    ///   - host: the leaf of the host itself, shown to clients that ask for no service.
    ///   - workloads: the leaves of its workloads.
    /// - Throws: what NIOSSL throws for a certificate that it does not take.
    package func snapshot(
        host: WorkloadCertificate,
        workloads: some Sequence<WorkloadCertificate>,
        bundle: TrustBundle
    ) throws -> IdentitySnapshot {
        var ends: [SpiffeID: TLSEnd] = [:]
        for certificate in [host] + workloads {
            ends[certificate.identity] = try TLSEnd(certificate, applicationProtocols: applicationProtocols)
        }
        return try IdentitySnapshot(
            host: host.identity,
            ends: ends,
            verifier: PeerVerifier(bundle: bundle),
            applicationProtocols: applicationProtocols
        )
    }
}

/// One certificate as NIOSSL takes it, for both ends of a connection.
struct TLSEnd: Sendable {
    let certificate: WorkloadCertificate
    private let chain: [NIOSSLCertificateSource]
    private let key: NIOSSLPrivateKey
    private let applicationProtocols: [String]

    init(_ certificate: WorkloadCertificate, applicationProtocols: [String]) throws {
        self.certificate = certificate
        self.chain = try certificate.chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) }
        self.key = NIOSSLPrivateKey(customPrivateKey: LeafSigner(certificate))
        self.applicationProtocols = applicationProtocols
    }

    /// The client's side. NIOSSL keeps no sessions, so every connection is a full handshake and every peer is checked.
    var client: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = chain
        configuration.privateKey = .privateKey(key)
        harden(&configuration)
        return configuration
    }

    /// The server's side; it demands a certificate.
    var server: TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(key)
        )
        harden(&configuration)
        return configuration
    }

    /// The server's side for hosts that are about to join and have no certificate: it shows the roots as well, as those
    /// hosts know only one's fingerprint.
    func joinServer(showing roots: [MeshCertificate]) throws -> TLSConfiguration {
        var configuration = server
        configuration.certificateVerification = .none
        configuration.applicationProtocols = [JoinPin.applicationProtocol]
        configuration.certificateChain += try roots.map {
            .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der))
        }
        return configuration
    }

    /// The joining host's side: no certificate; trust is the callback's matter.
    static func joinClient(applicationProtocols: [String]) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = applicationProtocols
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        return configuration
    }

    /// TLS 1.3 only, and no roots of NIOSSL's own: `PeerVerifier` alone decides, in the handler's callback. A handler
    /// made without that callback trusts nobody.
    private func harden(_ configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        configuration.applicationProtocols = applicationProtocols
    }
}

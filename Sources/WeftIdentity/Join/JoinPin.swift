internal import NIOCore
package import NIOSSL
package import WeftCore

/// How a joining host checks who it talks to before it says its secret: the one who answers must be a host of the mesh
/// whose chain ends at the root that the token pins.
package struct JoinPin: Sendable {
    package let mesh: MeshName
    package let root: Fingerprint

    package init(_ token: JoinToken) {
        self.mesh = token.mesh
        self.root = token.root
    }

    /// - Parameter presented: DER, the leaf first; the pinned root is among the others.
    /// - Returns: the pinned root's certificate, for `JoinGrant.accept`, and the host that answers.
    package func verify(
        _ presented: [[UInt8]],
        now: WallTime
    ) throws(PeerRefusal) -> (root: MeshCertificate, peer: VerifiedPeer) {
        guard !presented.isEmpty else { throw .noCertificate }
        guard presented.count <= Self.certificatesMax else { throw .malformed("\(presented.count) certificates") }
        guard let der = presented.dropFirst().first(where: { Fingerprint(of: $0) == root }) else {
            throw .unknownAuthority
        }
        let certificate: MeshCertificate
        do {
            certificate = try MeshCertificate(der: der)
        } catch {
            throw .malformed(error.description)
        }
        // Trusts this root alone, and knows of no revocations yet.
        let verifier = PeerVerifier(
            bundle: TrustBundle(mesh: mesh, version: 0, issued: now, roots: [certificate])
        )
        let peer = try verifier.verify(
            presented.filter { $0 != der },
            as: .server,
            now: now,
            certificatesMax: Self.certificatesMax
        )
        // A workload's key is in the hands of a host as well, but only hosts' own leaves serve joins.
        guard peer.identity.node != nil else { throw .unexpected(peer.identity) }
        return (certificate, peer)
    }

    /// What both ends of the join service name by ALPN, so that neither takes it for a tunnel.
    package static let applicationProtocol = "weft-join"

    /// The context for asking to be let in: no certificate, TLS 1.3 only.
    package static func clientContext() throws -> NIOSSLContext {
        try NIOSSLContext(configuration: TLSEnd.joinClient(applicationProtocols: [applicationProtocol]))
    }

    /// The callback for the joining host's `NIOSSLClientHandler`; `completion` gets the root, before the handshake ends.
    package func callback(
        clock: @escaping () -> WallTime,
        completion: @escaping (Result<MeshCertificate, PeerRefusal>) -> Void
    ) -> NIOSSLCustomVerificationCallback {
        { presented, promise in
            let verdict = Result { () throws(PeerRefusal) in
                try verify(presented.compactMap { try? $0.toDERBytes() }, now: clock()).root
            }
            completion(verdict)
            switch verdict {
            case .success: promise.succeed(.certificateVerified)
            case .failure(let refusal): promise.fail(refusal)
            }
        }
    }

    /// A leaf and its chain, with all the roots and crossings that a bundle may have.
    package static let certificatesMax =
        1 + NodeIdentity.chainMax + TrustBundle.rootsMax + TrustBundle.crossingsMax
}

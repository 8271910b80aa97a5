internal import NIOCore
package import NIOSSL
package import WeftCore

extension PeerVerifier {
    /// What became of a peer's certificates.
    package typealias Verdict = Result<VerifiedPeer, PeerRefusal>

    /// Checks a peer as NIOSSL has it, and that it is one of those asked for.
    ///
    /// - Parameter expected: whom the client meant to reach, any of them; nil on servers, which let the rules decide.
    package func verify(
        _ presented: [NIOSSLCertificate],
        as role: Role,
        expecting expected: Set<SpiffeID>?,
        now: WallTime
    ) -> Verdict {
        Result { () throws(PeerRefusal) in
            var chain: [[UInt8]] = []
            for certificate in presented.prefix(Self.certificatesMax + 1) {
                guard let der = try? certificate.toDERBytes() else { throw .malformed("a certificate") }
                chain.append(der)
            }
            let peer = try verify(chain, as: role, now: now)
            guard expected?.contains(peer.identity) ?? true else { throw .unexpected(peer.identity) }
            return peer
        }
    }

    /// The callback for a `NIOSSLClientHandler` or `NIOSSLServerHandler`, which runs on the channel's loop.
    ///
    /// - Parameters:
    ///   - role: what the peer is: `.server` for a client's handler.
    ///   - clock: asked once, when the certificates are there.
    ///   - completion: called with the verdict before the handshake goes on; keep it for the connection. A connection
    ///     whose handshake ends without it has no peer and must be closed.
    package func callback(
        for role: Role,
        expecting expected: Set<SpiffeID>? = nil,
        clock: @escaping () -> WallTime,
        completion: @escaping (Verdict) -> Void
    ) -> NIOSSLCustomVerificationCallback {
        { presented, promise in
            let verdict = verify(presented, as: role, expecting: expected, now: clock())
            completion(verdict)
            switch verdict {
            case .success: promise.succeed(.certificateVerified)
            case .failure(let refusal): promise.fail(refusal)
            }
        }
    }
}

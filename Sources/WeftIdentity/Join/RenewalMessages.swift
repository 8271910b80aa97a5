/// A renewal travels to the join service, over a connection on which the host checks the service with `PeerVerifier` and
/// shows no certificate itself, as its own may have ended. The answer is a `JoinAnswer` without a gossip key.
///
/// ```
/// "weft renewal 1\n" | signing request (PKCS #10) | intermediate in hand
/// ```
extension RenewalRequest {
    /// Larger messages are refused unread.
    package static let bytesMax = 16 * 1024
    private static let magic = Array("weft renewal 1\n".utf8)

    /// What travels; holds no secret.
    package var encoded: [UInt8] {
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.blob(request.der)
        writer.blob(current.der)
        return writer.bytes
    }

    /// Reads a request from a stranger; `MeshAuthority.renew` says whether it is granted.
    package init(encoded: [UInt8]) throws(JoinRefusal) {
        guard encoded.count <= Self.bytesMax else { throw .malformedRequest }
        do {
            var reader = WireReader(encoded)
            guard try reader.raw(Self.magic.count, "heading") == Self.magic else { throw JoinRefusal.malformedRequest }
            let request = try NodeRequest(der: reader.blob("request", maximum: NodeRequest.bytesMax))
            let current = try reader.certificate("intermediate")
            try reader.end()
            self.init(request: request, current: current)
        } catch {
            throw .malformedRequest
        }
    }

    /// Whether bytes from a stranger are a renewal rather than a first join.
    package static func isRenewal(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }
}

extension JoinRefusal {
    /// What the one who asks is told of an authority's error.
    package init(_ error: IdentityError) {
        self =
            switch error {
            case .unreadable, .noPossession, .foreignKey, .wrongNode: .malformedRequest
            case .wrongMesh: .wrongMesh
            case .unknownIssuer: .unknownHost
            case .pastGrace: .pastGrace
            case .revoked: .revoked
            case .failed, .issuerNotValid, .notAllowed, .wrongStep: .failed
            }
    }
}

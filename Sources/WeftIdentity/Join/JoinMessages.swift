package import WeftCore

/// What a joining host sends, once it knows that it talks to the mesh that its token pins (`JoinPin`).
///
/// ```
/// "weft join 1\n" | token id, 8 | secret, 32 | mesh | clock, 8 | signing request (PKCS #10)
/// ```
package struct JoinRequest: Sendable {
    /// Larger messages are refused unread.
    package static let bytesMax = 8 * 1024
    private static let magic = Array("weft join 1\n".utf8)

    package let token: TokenID
    /// As the token says, so that a host of several meshes knows which is meant.
    package let mesh: MeshName
    /// The joining host's clock when it asked.
    package let clock: WallTime
    package let node: NodeRequest
    let secret: Hidden<[UInt8]>

    /// What a host with this key asks for with this token.
    package init(token: JoinToken, node name: NodeName, key: NodeKey, now: WallTime) throws(IdentityError) {
        self.token = token.id
        self.mesh = token.mesh
        self.clock = now
        self.node = try key.request(for: SpiffeID(mesh: token.mesh, node: name))
        self.secret = token.secret
    }

    /// What travels. It holds the secret: for the checked connection and for nothing else.
    package var encoded: [UInt8] {
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.number(token.number)
        writer.raw(secret.value)
        writer.text(mesh.text)
        writer.time(clock)
        writer.blob(node.der)
        return writer.bytes
    }

    /// Reads a request from a stranger: everything is bounded and the signature is checked, the secret is not.
    package init(encoded: [UInt8]) throws(JoinRefusal) {
        guard encoded.count <= Self.bytesMax else { throw .malformedRequest }
        do {
            var reader = WireReader(encoded)
            guard try reader.raw(Self.magic.count, "heading") == Self.magic else { throw JoinRefusal.malformedRequest }
            self.token = TokenID(try reader.number("token id"))
            self.secret = Hidden(try reader.raw(TokenBook.secretBytes, "secret"))
            self.mesh = try reader.mesh()
            self.clock = try reader.time("clock")
            self.node = try NodeRequest(der: reader.blob("request", maximum: NodeRequest.bytesMax))
            try reader.end()
        } catch {
            throw .malformedRequest
        }
        guard node.identity.mesh == mesh else { throw .wrongMesh }
    }
}

/// What the authority answers: membership, or a refusal; and its clock either way.
///
/// ```
/// "weft answer 1\n" | clock, 8 | 0 | mesh | chain | trust bundle | gossip key | pool mode, 1
///                              | 1 | reason, 1
/// ```
package struct JoinAnswer: Sendable {
    /// A trust bundle, a chain, and room.
    package static let bytesMax = SignedTrustBundle.bytesMax + 64 * 1024
    private static let magic = Array("weft answer 1\n".utf8)

    /// The authority's clock when it answered.
    package let clock: WallTime
    package let outcome: Result<JoinGrant, JoinRefusal>

    package init(clock: WallTime, outcome: Result<JoinGrant, JoinRefusal>) {
        self.clock = clock
        self.outcome = outcome
    }

    /// What travels. It holds the gossip key.
    package var encoded: [UInt8] {
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.time(clock)
        switch outcome {
        case .success(let grant):
            writer.byte(0)
            writer.text(grant.mesh.text)
            writer.certificates(grant.chain)
            writer.blob(grant.bundle.bytes)
            writer.blob(grant.gossipKey.value)
            writer.byte(grant.poolMode)
        case .failure(let refusal):
            writer.byte(1)
            writer.byte(refusal.rawValue)
        }
        return writer.bytes
    }

    /// Reads an answer. Whether the bundle is good is for `JoinGrant.accept` to say.
    package init(encoded: [UInt8]) throws(JoinAnswerError) {
        guard encoded.count <= Self.bytesMax else { throw .malformed(what: "size", at: Self.bytesMax) }
        do throws(WireError) {
            var reader = WireReader(encoded)
            let magic = try reader.raw(Self.magic.count, "heading")
            guard magic == Self.magic else { throw WireError(what: "heading", offset: 0, isTruncated: false) }
            self.clock = try reader.time("clock")
            self.outcome = try Self.outcome(&reader)
            try reader.end()
        } catch {
            throw .malformed(what: error.what, at: error.offset)
        }
    }

    private static func outcome(_ reader: inout WireReader) throws(WireError) -> Result<JoinGrant, JoinRefusal> {
        switch try reader.byte("outcome") {
        case 0:
            let mesh = try reader.mesh()
            let chain = try reader.certificates("chain", maximum: NodeIdentity.chainMax)
            let bundle = try reader.made("trust bundle") { reader throws(WireError) in
                try? SignedTrustBundle(bytes: reader.blob("trust bundle", maximum: SignedTrustBundle.bytesMax))
            }
            let gossipKey = try reader.blob("gossip key", maximum: JoinGrant.gossipKeyBytesMax)
            let poolMode = try reader.byte("pool mode")
            return .success(
                JoinGrant(mesh: mesh, chain: chain, bundle: bundle, gossipKey: gossipKey, poolMode: poolMode)
            )
        case 1:
            // A reason from a later version of weft is a failure without a name.
            return .failure(JoinRefusal(rawValue: try reader.byte("reason")) ?? .failed)
        default:
            throw WireError(what: "outcome", offset: reader.offset - 1, isTruncated: false)
        }
    }
}

/// Membership: what a host needs to be one of the mesh.
package struct JoinGrant: Sendable {
    package static let gossipKeyBytesMax = 32

    package let mesh: MeshName
    package let chain: [MeshCertificate]
    package let bundle: SignedTrustBundle
    /// How far the pool has come on its way to encryption; what the numbers mean is for those who configure gossip.
    package let poolMode: UInt8
    let gossipKey: Hidden<[UInt8]>

    /// - Parameter gossipKey: 0 (a pool without encryption), 16, 24 or 32 bytes.
    package init(
        mesh: MeshName,
        chain: [MeshCertificate],
        bundle: SignedTrustBundle,
        gossipKey: [UInt8],
        poolMode: UInt8 = 0
    ) {
        self.mesh = mesh
        self.chain = chain
        self.bundle = bundle
        self.gossipKey = Hidden(gossipKey)
        self.poolMode = poolMode
    }

    /// The key of the gossip pool, for the one who configures gossip.
    package var poolKey: [UInt8] { gossipKey.value }

    /// Checks what came against what the host knows: the pinned root signed the bundle, the bundle's roots the chain,
    /// and the chain is for this host's key and name.
    ///
    /// - Parameters:
    ///   - root: the certificate that `JoinPin` found.
    package func accept(
        root: MeshCertificate,
        key: NodeKey,
        node: NodeName
    ) throws(JoinAnswerError) -> (identity: NodeIdentity, bundle: TrustBundle) {
        let trusted: TrustBundle
        do {
            trusted = try bundle.open(mesh: mesh, trusting: [root])
        } catch {
            throw .bundle(error)
        }
        let identity: NodeIdentity
        do {
            identity = try NodeIdentity(key: key, chain: chain)
        } catch {
            throw .chain(error)
        }
        guard identity.identity == SpiffeID(mesh: mesh, node: node) else { throw .chain(.wrongNode(identity.node)) }
        guard trusted.roots.contains(where: { identity.intermediate.isSigned(by: $0) }) else {
            throw .chain(.unknownIssuer)
        }
        return (identity, trusted)
    }
}

/// Why an answer was not taken. `description` is for people.
package enum JoinAnswerError: Error, Sendable, Equatable, CustomStringConvertible {
    case malformed(what: String, at: Int)
    case bundle(BundleRefusal)
    case chain(IdentityError)

    package var description: String {
        switch self {
        case .malformed(let what, let offset):
            "the answer is malformed at byte \(offset) (\(what)); do both hosts run the same version of weft?"
        case .bundle(let refusal): "the answer was refused: \(refusal)"
        case .chain(let error): "the answer's certificates were refused: \(error)"
        }
    }
}

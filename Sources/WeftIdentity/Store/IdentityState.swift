internal import WeftCore

/// All that a host keeps of its identity, together: what changes together is in one value, and so in one file.
package struct IdentityState: Sendable {
    /// The host's key; made on the first start, replaced when it joins another mesh.
    package var key: NodeKey
    /// What the authority gave for that key; nil until there is a mesh.
    package var node: NodeIdentity?
    /// What the host trusts.
    package var bundle: SignedTrustBundle?
    /// On hosts that hold the authority.
    package var authority: MeshAuthority?
    package var tokens: TokenBook
    /// A join under way.
    package var pendingJoin: PendingJoin?
    /// What others want kept with it and changed together with it: the gossip key, the operator's key. By name.
    package var extras: [String: [UInt8]] {
        get { hiddenExtras.value }
        set { hiddenExtras = Hidden(newValue) }
    }
    private var hiddenExtras: Hidden<[String: [UInt8]]>

    /// The key that a host joins another mesh with, kept before the token is used: a token may be good for one host only,
    /// and who asks again with the same key, because the answer or the power was lost, is the same host.
    package struct PendingJoin: Sendable {
        package let token: TokenID
        package let key: NodeKey

        package init(token: TokenID, key: NodeKey) {
            self.token = token
            self.key = key
        }
    }

    package static let extrasMax = 16
    package static let extraBytesMax = 64 * 1024

    package init(
        key: NodeKey,
        node: NodeIdentity? = nil,
        bundle: SignedTrustBundle? = nil,
        authority: MeshAuthority? = nil,
        tokens: TokenBook = TokenBook(),
        pendingJoin: PendingJoin? = nil,
        extras: [String: [UInt8]] = [:]
    ) {
        self.key = key
        self.node = node
        self.bundle = bundle
        self.authority = authority
        self.tokens = tokens
        self.pendingJoin = pendingJoin
        self.hiddenExtras = Hidden(extras)
    }

    /// The bundle that this host stored, as it trusted it then.
    package func trusted() throws(BundleRefusal) -> TrustBundle? {
        guard let bundle, let node else { return nil }
        return try bundle.open(mesh: node.mesh)
    }
}

extension IdentityState {
    var encoded: [UInt8] {
        get throws(IdentityError) {
            var writer = WireWriter()
            writer.raw(key.raw)
            writer.certificates(node?.chain ?? [])
            writer.optional(bundle) { $0.blob($1.bytes) }
            if let authority {
                writer.byte(1)
                writer.blob(try authority.encoded)
            } else {
                writer.byte(0)
            }
            writer.blob(tokens.encoded)
            writer.optional(pendingJoin) { writer, pending in
                writer.number(pending.token.number)
                writer.raw(pending.key.raw)
            }
            writer.list(extras.sorted { $0.key < $1.key }) { writer, extra in
                writer.text(extra.key)
                writer.blob(extra.value)
            }
            return writer.bytes
        }
    }

    init(encoded: [UInt8]) throws(WireError) {
        var reader = WireReader(encoded)
        let key = try reader.made("host key") { reader throws(WireError) in
            try? NodeKey(raw: reader.raw(32, "host key"))
        }
        let chain = try reader.certificates("chain", maximum: NodeIdentity.chainMax)
        let bundle = try reader.optional("trust bundle") { reader throws(WireError) in
            try reader.made("trust bundle") { reader throws(WireError) in
                try? SignedTrustBundle(bytes: reader.blob("trust bundle", maximum: SignedTrustBundle.bytesMax))
            }
        }
        let authority = try reader.optional("authority") { reader throws(WireError) in
            try MeshAuthority(encoded: reader.blob("authority", maximum: StateStore.bytesMax))
        }
        let tokens = try TokenBook(encoded: reader.blob("tokens", maximum: StateStore.bytesMax))
        let pendingJoin = try reader.optional("pending join") { reader throws(WireError) in
            let token = TokenID(try reader.number("token id"))
            let key = try reader.made("joining key") { reader throws(WireError) in
                try? NodeKey(raw: reader.raw(32, "joining key"))
            }
            return PendingJoin(token: token, key: key)
        }
        let extras = try reader.list("extras", maximum: Self.extrasMax) { reader throws(WireError) in
            (try reader.text("extra", maximum: 64), try reader.blob("extra", maximum: Self.extraBytesMax))
        }
        try reader.end()
        var node: NodeIdentity?
        if !chain.isEmpty {
            node = try? NodeIdentity(key: key, chain: chain)
            guard node != nil else { throw WireError(what: "chain", offset: 0, isTruncated: false) }
        }
        self.init(
            key: key,
            node: node,
            bundle: bundle,
            authority: authority,
            tokens: tokens,
            pendingJoin: pendingJoin,
            extras: Dictionary(extras, uniquingKeysWith: { first, _ in first })
        )
    }
}

extension MeshAuthority {
    var encoded: [UInt8] {
        get throws(IdentityError) {
            var writer = WireWriter()
            writer.text(try key.pem())
            writer.blob(root.der)
            writer.certificates(upper)
            writer.blob(bundle.payload)
            switch rotation {
            case nil:
                writer.byte(0)
            case .prepared(let next, let secret):
                writer.byte(1)
                writer.blob(next.der)
                writer.text(try secret.key.pem())
                writer.certificates(secret.upper)
            case .switched(let old):
                writer.byte(2)
                writer.raw(old.bytes)
            }
            writer.blob(register.encoded)
            return writer.bytes
        }
    }

    init(encoded: [UInt8]) throws(WireError) {
        var reader = WireReader(encoded)
        let key = try reader.issuerKey()
        let root = try reader.certificate("root")
        let upper = try reader.certificates("upper", maximum: NodeIdentity.chainMax)
        let bundle = try TrustBundle(payload: reader.blob("trust bundle", maximum: SignedTrustBundle.bytesMax))
        var rotation: Rotation?
        switch try reader.byte("rotation") {
        case 0: break
        case 1:
            let next = try reader.certificate("next root")
            let nextKey = try reader.issuerKey()
            let nextUpper = try reader.certificates("next upper", maximum: NodeIdentity.chainMax)
            rotation = .prepared(root: next, Rotation.Next(key: nextKey, upper: nextUpper))
        case 2: rotation = .switched(old: try reader.fingerprint("old root"))
        default: throw WireError(what: "rotation", offset: reader.offset - 1, isTruncated: false)
        }
        let register = try HostRegister(encoded: reader.blob("register", maximum: StateStore.bytesMax))
        try reader.end()
        self.init(mesh: bundle.mesh, root: root, upper: upper, bundle: bundle, key: key)
        self.rotation = rotation
        self.register = register
    }
}

extension WireReader {
    fileprivate mutating func issuerKey() throws(WireError) -> IssuerKey {
        try made("authority's key") { reader throws(WireError) in
            try? IssuerKey(pem: reader.text("authority's key", maximum: 4096))
        }
    }
}

package import WeftCore

/// The tokens that an authority has given out: who may come in, how many, until when, and to do what.
///
/// A value without effects; the join service stores it before it answers. It keeps a hash of each secret, so that the
/// file of an authority lets nobody in. The secrets are random, so the hash needs no salt.
package struct TokenBook: Sendable, Equatable {
    package static let secretBytes = 32
    /// Of tokens, the old ones among them.
    package static let tokensMax = 1024
    package static let usesMax = 1024
    /// How long an expired token is remembered, to be told from one that never was.
    package static let memory = Duration.seconds(30 * 86_400)

    package private(set) var tokens: [TokenID: Record] = [:]

    /// One token as the authority knows it.
    package struct Record: Sendable, Equatable {
        package let mesh: MeshName
        package let expiry: WallTime
        /// How many hosts it lets in.
        package let uses: Int
        /// Nil for everything.
        package let allowed: AllowedServices?
        /// The hosts that it has let in: the same one may ask again when the answer was lost.
        package fileprivate(set) var used: [Fingerprint]
        fileprivate let secretHash: Fingerprint
    }

    package init() {}

    /// Makes a token.
    ///
    /// - Parameters:
    ///   - uses: how many hosts it lets in, 1 to `usesMax`.
    ///   - rng: the system's generator everywhere but in tests: the secret comes from it.
    package mutating func issue(
        mesh: MeshName,
        root: Fingerprint,
        addresses: [PeerAddress],
        expiry: WallTime,
        uses: Int = 1,
        allowed: AllowedServices? = nil,
        now: WallTime,
        using rng: inout some RandomNumberGenerator
    ) throws(TokenBookError) -> JoinToken {
        tokens = tokens.filter { now <= $0.value.expiry.advanced(by: Self.memory) }
        guard tokens.count < Self.tokensMax else { throw .tooManyTokens }
        guard (1...Self.usesMax).contains(uses), expiry > now, (1...JoinToken.addressesMax).contains(addresses.count)
        else { throw .badRequest }
        var id = TokenID(rng.next())
        while tokens[id] != nil { id = TokenID(rng.next()) }
        let secret = [UInt8](random: Self.secretBytes, using: &rng)
        tokens[id] = Record(
            mesh: mesh,
            expiry: expiry,
            uses: uses,
            allowed: allowed,
            used: [],
            secretHash: Fingerprint(of: secret)
        )
        return JoinToken(mesh: mesh, expiry: expiry, root: root, id: id, secret: secret, addresses: addresses)
    }

    /// Lets a host in, and counts it. To be stored before the answer goes out.
    ///
    /// A wrong secret looks like an unknown token, in the answer and in the time it takes.
    ///
    /// - Returns: what the host may speak for; nil for everything.
    package mutating func admit(
        _ request: JoinRequest,
        now: WallTime
    ) throws(JoinRefusal) -> AllowedServices? {
        let record = tokens[request.token]
        let hash = Fingerprint(of: request.secret.value)
        let expected = record?.secretHash ?? Fingerprint(of: [])
        guard Self.isSame(hash.bytes, expected.bytes), var record else { throw .unknownToken }
        guard record.mesh == request.mesh else { throw .wrongMesh }
        let host = Self.fingerprint(of: request.node)
        let isAgain = record.used.contains(host)
        guard now <= record.expiry else { throw .expiredToken }
        guard isAgain || record.used.count < record.uses else { throw .exhaustedToken }
        if !isAgain {
            record.used.append(host)
            tokens[request.token] = record
        }
        return record.allowed
    }

    /// Takes a token back. It is forgotten at once.
    package mutating func withdraw(_ id: TokenID) -> Bool { tokens.removeValue(forKey: id) != nil }

    /// Stands for a key and a name together: with another name the same key is another host.
    private static func fingerprint(of request: NodeRequest) -> Fingerprint {
        Fingerprint(of: request.keyFingerprint.bytes + Array(request.identity.description.utf8))
    }

    /// Compares without telling by its time where the first difference is.
    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Why no token was made.
package enum TokenBookError: Error, Sendable, Equatable, CustomStringConvertible {
    case tooManyTokens
    case badRequest

    package var description: String {
        switch self {
        case .tooManyTokens: "there are \(TokenBook.tokensMax) tokens already; withdraw some"
        case .badRequest:
            "a token needs an end in the future, 1 to \(TokenBook.usesMax) uses, and 1 to \(JoinToken.addressesMax) addresses"
        }
    }
}

extension TokenBook {
    /// One form for one book, as the state file keeps it.
    var encoded: [UInt8] {
        var writer = WireWriter()
        writer.list(tokens.sorted { $0.key < $1.key }) { writer, entry in
            writer.number(entry.key.number)
            writer.text(entry.value.mesh.text)
            writer.time(entry.value.expiry)
            writer.number(UInt32(clamping: entry.value.uses))
            writer.allowed(entry.value.allowed)
            writer.list(entry.value.used) { $0.raw($1.bytes) }
            writer.raw(entry.value.secretHash.bytes)
        }
        return writer.bytes
    }

    init(encoded: [UInt8]) throws(WireError) {
        var reader = WireReader(encoded)
        let list = try reader.list("tokens", maximum: Self.tokensMax) { reader throws(WireError) in
            let id = TokenID(try reader.number("token id"))
            let mesh = try reader.mesh()
            let expiry = try reader.time("expiry")
            let uses: UInt32 = try reader.number("uses")
            let allowed = try reader.allowed()
            let used = try reader.list("used", maximum: Self.usesMax) { reader throws(WireError) in
                try reader.fingerprint("key")
            }
            let secretHash = try reader.fingerprint("secret's hash")
            let record = Record(
                mesh: mesh,
                expiry: expiry,
                uses: Int(uses),
                allowed: allowed,
                used: used,
                secretHash: secretHash
            )
            return (id, record)
        }
        try reader.end()
        self.tokens = Dictionary(list, uniquingKeysWith: { first, _ in first })
    }
}

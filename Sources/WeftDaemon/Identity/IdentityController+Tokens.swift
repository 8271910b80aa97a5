internal import HTTPTypes
internal import Logging
internal import WeftAPI
internal import WeftConfig
internal import WeftCore
internal import WeftIdentity

/// Tokens, which let hosts in: made, listed and taken back on hosts that hold the authority.
extension IdentityController {
    /// A year.
    private static let validSecondsMax = 366 * 86_400

    func makeToken(_ request: TokenRequest) throws -> TokenResponse {
        let (current, authority) = try held()
        guard (1...Self.validSecondsMax).contains(request.validSeconds), (1...TokenBook.usesMax).contains(request.uses)
        else {
            throw APIFailure.badToken(
                "a token is good for 1 second to 366 days and for 1 to \(TokenBook.usesMax) hosts"
            )
        }
        let allowed = try Self.allowed(request.allow)
        let addresses = try addresses(request.addresses)
        var (next, rng) = (current, randomness)
        let expiry = now.advanced(by: .seconds(request.validSeconds))
        let token: JoinToken
        do {
            token = try next.tokens.issue(
                mesh: authority.mesh,
                root: authority.root.fingerprint,
                addresses: addresses,
                expiry: expiry,
                uses: request.uses,
                allowed: allowed,
                now: now,
                using: &rng
            )
        } catch {
            throw APIFailure.badToken("\(error)")
        }
        try keepOrFail(next)
        logger.notice("token made", metadata: ["token": "\(token.id)", "uses": "\(request.uses)"])
        return TokenResponse(
            id: "\(token.id)",
            token: token.line,
            mesh: authority.mesh.text,
            expires: expiry.rfc3339,
            uses: request.uses
        )
    }

    /// Those that can still be used, and those that were not long ago.
    func tokens() throws -> [TokenRow] {
        let (current, _) = try held()
        return current.tokens.tokens.sorted { ($0.value.expiry, $0.key) < ($1.value.expiry, $1.key) }.map {
            id,
            record in
            TokenRow(
                id: "\(id)",
                expires: record.expiry.rfc3339,
                uses: record.uses,
                used: record.used.count,
                allow: record.allowed?.entries.map(\.description)
            )
        }
    }

    func withdrawToken(_ request: TokenWithdrawRequest) throws -> [TokenRow] {
        var (next, _) = try held()
        guard request.id.utf8.count == 16, let number = UInt64(request.id, radix: 16),
            next.tokens.withdraw(TokenID(number))
        else {
            throw APIFailure(
                .notFound,
                code: "unknown-token",
                text: "no token is called \(request.id.prefix(32))",
                next: "weft token list"
            )
        }
        try keepOrFail(next)
        logger.notice("token withdrawn", metadata: ["token": "\(request.id)"])
        return try tokens()
    }

    private static func allowed(_ texts: [String]?) throws(APIFailure) -> AllowedServices? {
        guard let texts else { return nil }
        var entries: [AllowedServices.Entry] = []
        for text in texts {
            guard let entry = AllowedServices.Entry(text) else {
                throw APIFailure.badToken("\(text.prefix(130)) is neither SERVICE nor TENANT/SERVICE")
            }
            entries.append(entry)
        }
        guard let allowed = AllowedServices(entries) else {
            throw APIFailure.badToken("more than \(AllowedServices.entriesMax) services")
        }
        return allowed
    }

    /// Where the join service answers: as the user says, or this host's own address.
    private func addresses(_ texts: [String]) throws(APIFailure) -> [PeerAddress] {
        guard texts.count <= JoinToken.addressesMax else {
            throw APIFailure.badToken("more than \(JoinToken.addressesMax) addresses")
        }
        let port = configuration.security.port
        guard !texts.isEmpty else {
            guard let own = members.first(where: \.isSelf)?.address ?? environment.ownAddress() else {
                throw APIFailure.badToken("this host has no address that others reach; name one with --address")
            }
            return [PeerAddress(.ip(own), port: port)]
        }
        var addresses: [PeerAddress] = []
        for text in texts {
            guard let peer = PeerAddress(text) else {
                throw APIFailure.badToken("\(text.prefix(300)) is neither an address nor a host's name")
            }
            addresses.append(PeerAddress(peer.host, port: peer.port ?? port))
        }
        return addresses
    }

    // MARK: Used by what the authority does

    /// The state with its authority, on a host that holds the present one.
    func held() throws(APIFailure) -> (state: IdentityState, authority: MeshAuthority) {
        guard let state, trusted != nil else { throw APIFailure.noIdentity(failure) }
        guard let authority = state.authority, authority.isCurrent else {
            throw APIFailure.notHolder(holders.map(\.name).sorted())
        }
        return (state, authority)
    }

    func keepOrFail(_ next: IdentityState) throws(APIFailure) {
        do {
            try keep(next)
        } catch {
            throw APIFailure.failed("nothing was changed: \(error)")
        }
    }
}

extension APIFailure {
    fileprivate static func badToken(_ text: String) -> APIFailure {
        APIFailure(.badRequest, code: "bad-token-request", text: text, next: "weft token --help")
    }
}

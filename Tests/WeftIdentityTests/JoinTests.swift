import Crypto
import Testing
import WeftCore
import WeftIdentity

/// Tokens and what they open.
@Suite struct JoinTests {
    static func address(_ text: String) throws -> PeerAddress { try #require(PeerAddress(text)) }

    /// A mesh that has given out one token.
    struct Inviting {
        var prod: TestMesh
        var book = TokenBook()
        var token: JoinToken

        init(uses: Int = 1, allowed: AllowedServices? = nil, life: Duration = .hours(1)) throws {
            var prod = try TestMesh()
            self.token = try book.issue(
                mesh: prod.authority.mesh,
                root: prod.authority.root.fingerprint,
                addresses: [address("10.0.0.1:15008"), address("[fd00::1]:15008"), address("web.example:15008")],
                expiry: prod.now + life,
                uses: uses,
                allowed: allowed,
                now: prod.now,
                using: &prod.rng
            )
            self.prod = prod
        }

        func request(_ node: String = "new-1", key: NodeKey = NodeKey()) throws -> JoinRequest {
            let made = try JoinRequest(token: token, node: nodeName(node), key: key, now: prod.now)
            return try JoinRequest(encoded: made.encoded)
        }
    }

    @Test func aTokenIsOneLineThatReadsBack() throws {
        let token = try Inviting().token
        #expect(try JoinToken(line: token.line) == token)
        #expect(token.line.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        #expect(token.line.utf8.count < 300)
        let wrapped = "  " + token.line.prefix(40) + "\n" + token.line.dropFirst(40) + "\n"
        #expect(try JoinToken(line: wrapped) == token)
        #expect(token.addresses.map(\.description) == ["10.0.0.1:15008", "[fd00::1]:15008", "web.example:15008"])
    }

    @Test func everyCutSaysSo() throws {
        let line = try Inviting().token.line
        for count in 1..<line.count {
            #expect(throws: JoinRefusal.truncatedToken, "\(count)") { try JoinToken(line: String(line.prefix(count))) }
        }
    }

    @Test func everyMistypedLetterSaysSo() throws {
        let line = Array(try Inviting().token.line)
        for index in line.indices {
            var changed = line
            changed[index] = changed[index] == "x" ? "y" : "x"
            // A length that was mistyped looks like a cut.
            #expect(throws: JoinRefusal.self, "letter \(index)") { try JoinToken(line: String(changed)) }
        }
    }

    @Test(arguments: [
        "", " ", "hello", "weft2_AAAA", "weft1_***", "weft1_AAAAAAAAAAAA", String(repeating: "a", count: 5000),
    ])
    func otherTextIsNoToken(_ text: String) {
        #expect(throws: JoinRefusal.malformedToken) { try JoinToken(line: text) }
    }

    @Test func aHostJoins() throws {
        var mesh = try Inviting()
        let key = NodeKey()
        let node = try nodeName("new-1")
        let request = try mesh.request(key: key)
        let allowed = try mesh.book.admit(request, now: mesh.prod.now)
        let chain = try mesh.prod.authority.sign(
            request.node,
            allowed: allowed,
            now: mesh.prod.now,
            using: &mesh.prod.rng
        )
        let grant = JoinGrant(
            mesh: mesh.prod.authority.mesh,
            chain: chain,
            bundle: try mesh.prod.authority.signedBundle(),
            gossipKey: [UInt8](repeating: 7, count: 32)
        )
        let sent = JoinAnswer(clock: mesh.prod.now, outcome: .success(grant))
        let answer = try JoinAnswer(encoded: sent.encoded)
        #expect(answer.clock == mesh.prod.now)
        let got = try answer.outcome.get()
        #expect(got.poolKey == [UInt8](repeating: 7, count: 32))
        let (identity, bundle) = try got.accept(root: mesh.prod.authority.root, key: key, node: node)
        #expect(identity.node == node)
        #expect(bundle == mesh.prod.authority.bundle)
        let leaf = try mesh.prod.mint("api", on: identity)
        #expect(try PeerVerifier(bundle: bundle).verify(leaf.presented, as: .server, now: mesh.prod.now).node == node)

        // The answer is for this host and this mesh.
        #expect(throws: JoinAnswerError.chain(.foreignKey)) {
            try got.accept(root: mesh.prod.authority.root, key: NodeKey(), node: node)
        }
        #expect(throws: JoinAnswerError.chain(.wrongNode(node))) {
            try got.accept(root: mesh.prod.authority.root, key: key, node: nodeName("other"))
        }
        let twin = try TestMesh(seed: 9)
        #expect(throws: JoinAnswerError.bundle(.unknownSigner)) {
            try got.accept(root: twin.authority.root, key: key, node: node)
        }
    }

    @Test func aTokenLetsInAsManyHostsAsItSays() throws {
        var mesh = try Inviting(uses: 2)
        let key = NodeKey()
        _ = try mesh.book.admit(mesh.request("a", key: key), now: mesh.prod.now)
        // The answer was lost and the host asks again: not another use.
        _ = try mesh.book.admit(mesh.request("a", key: key), now: mesh.prod.now)
        _ = try mesh.book.admit(mesh.request("b"), now: mesh.prod.now)
        #expect(mesh.book.tokens[mesh.token.id]?.used.count == 2)
        #expect(throws: JoinRefusal.exhaustedToken) { try mesh.book.admit(mesh.request("c"), now: mesh.prod.now) }
        #expect(throws: JoinRefusal.exhaustedToken) {
            try mesh.book.admit(mesh.request("c", key: key), now: mesh.prod.now)
        }
        _ = try mesh.book.admit(mesh.request("a", key: key), now: mesh.prod.now)
    }

    @Test func everyReasonIsTold() throws {
        var mesh = try Inviting()
        var other = try Inviting()
        let stranger = try other.request()
        other.book = TokenBook()
        #expect(throws: JoinRefusal.unknownToken) { try other.book.admit(stranger, now: other.prod.now) }

        // The right id with another secret.
        var bytes = try mesh.request().encoded
        bytes[12 + 8] ^= 1
        let guess = try JoinRequest(encoded: bytes)
        #expect(throws: JoinRefusal.unknownToken) { try mesh.book.admit(guess, now: mesh.prod.now) }
        #expect(mesh.book.tokens[mesh.token.id]?.used == [])

        #expect(throws: JoinRefusal.expiredToken) {
            try mesh.book.admit(mesh.request(), now: mesh.prod.now + .hours(2))
        }
        let id = mesh.token.id
        #expect([mesh.book.withdraw(id), mesh.book.withdraw(id)] == [true, false])
        #expect(throws: JoinRefusal.unknownToken) { try mesh.book.admit(mesh.request(), now: mesh.prod.now) }
    }

    @Test func anExpiredTokenIsRememberedForAWhile() throws {
        var mesh = try Inviting()
        var rng = SeededGenerator(3)
        func issueAnother(at now: WallTime) throws {
            _ = try mesh.book.issue(
                mesh: mesh.prod.authority.mesh,
                root: mesh.token.root,
                addresses: mesh.token.addresses,
                expiry: now + .hours(1),
                now: now,
                using: &rng
            )
        }
        try issueAnother(at: mesh.prod.now + .days(30))
        #expect(mesh.book.tokens.count == 2)
        try issueAnother(at: mesh.prod.now + .days(31))
        #expect(mesh.book.tokens[mesh.token.id] == nil)
    }

    @Test func booksAreBounded() throws {
        var mesh = try Inviting()
        var rng = SeededGenerator(3)
        func issue(_ uses: Int = 1, _ life: Duration = .hours(1), _ count: Int = 1) throws {
            _ = try mesh.book.issue(
                mesh: mesh.prod.authority.mesh,
                root: mesh.token.root,
                addresses: Array(repeating: mesh.token.addresses[0], count: count),
                expiry: mesh.prod.now + life,
                uses: uses,
                now: mesh.prod.now,
                using: &rng
            )
        }
        #expect(throws: TokenBookError.badRequest) { try issue(0) }
        #expect(throws: TokenBookError.badRequest) { try issue(TokenBook.usesMax + 1) }
        #expect(throws: TokenBookError.badRequest) { try issue(1, .zero) }
        #expect(throws: TokenBookError.badRequest) { try issue(1, .hours(1), 0) }
        #expect(throws: TokenBookError.badRequest) { try issue(1, .hours(1), 9) }
        for _ in 1..<TokenBook.tokensMax { try issue() }
        #expect(throws: TokenBookError.tooManyTokens) { try issue() }
    }

    @Test func brokenMessagesAreRefused() throws {
        let mesh = try Inviting()
        let request = try mesh.request().encoded
        for count in request.indices {
            #expect(throws: JoinRefusal.malformedRequest) { try JoinRequest(encoded: Array(request.prefix(count))) }
        }
        #expect(throws: JoinRefusal.malformedRequest) { try JoinRequest(encoded: request + [0]) }
        let answer = JoinAnswer(clock: mesh.prod.now, outcome: .failure(.expiredToken)).encoded
        for count in answer.indices {
            #expect(throws: JoinAnswerError.self) { try JoinAnswer(encoded: Array(answer.prefix(count))) }
        }
    }

    @Test func everyRefusalTravelsAndHasItsWords() throws {
        for refusal in JoinRefusal.allCases {
            let sent = JoinAnswer(clock: TestMesh.start, outcome: .failure(refusal))
            let answer = try JoinAnswer(encoded: sent.encoded)
            #expect(throws: refusal) { try answer.outcome.get() }
            #expect(refusal.description.count > 20)
        }
        #expect(Set(JoinRefusal.allCases.map(\.name)).count == JoinRefusal.allCases.count)
    }

    @Test(arguments: [(0, nil), (-119, nil), (119, nil), (-600, "10 min behind"), (4 * 3600, "4 h ahead of")])
    func clocksThatDisagreeAreTold(_ seconds: Int, _ words: String?) {
        let here = TestMesh.start + .seconds(seconds)
        let check = ClockCheck(asked: here + .seconds(-1), answered: here + .seconds(1), other: TestMesh.start)
        #expect(check.isGood == (words == nil))
        #expect(check.difference == .seconds(seconds))
        if let words { #expect(check.warning?.contains(words) == true) } else { #expect(check.warning == nil) }
    }
}

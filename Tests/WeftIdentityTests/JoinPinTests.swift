import Testing
import WeftCore
import WeftIdentity

/// What a joining host trusts: the pinned root's hosts and nobody else.
@Suite struct JoinPinTests {
    static func token(_ prod: inout TestMesh) throws -> JoinToken {
        var book = TokenBook()
        return try book.issue(
            mesh: prod.authority.mesh,
            root: prod.authority.root.fingerprint,
            addresses: [JoinTests.address("a:1")],
            expiry: prod.now + .hours(1),
            now: prod.now,
            using: &prod.rng
        )
    }

    @Test func aHostOfTheMeshIsTrusted() throws {
        var prod = try TestMesh()
        let pin = JoinPin(try Self.token(&prod))
        let host = try prod.join("web-1")
        let leaf = try host.mint(host.identity, now: prod.now, using: &prod.rng)
        let shown = leaf.presented + [prod.authority.root.der]
        let found = try pin.verify(shown, now: prod.now)
        #expect(found.root == prod.authority.root)
        #expect(found.peer.node == host.node)
    }

    @Test func othersAreNot() throws {
        var prod = try TestMesh()
        let pin = JoinPin(try Self.token(&prod))
        let host = try prod.join("web-1")
        let own = try host.mint(host.identity, now: prod.now, using: &prod.rng)
        let root = prod.authority.root.der
        #expect(throws: PeerRefusal.noCertificate) { try pin.verify([], now: prod.now) }
        #expect(throws: PeerRefusal.unknownAuthority) { try pin.verify(own.presented, now: prod.now) }
        let api = try prod.mint("api", on: host)
        #expect(throws: PeerRefusal.unexpected(api.identity)) { try pin.verify(api.presented + [root], now: prod.now) }
        #expect(throws: PeerRefusal.self) { try pin.verify([root], now: prod.now) }

        // A thief shows the right root and a leaf of his own mesh.
        var twin = try TestMesh(seed: 2)
        let thief = try twin.join("web-1")
        let leaf = try thief.mint(thief.identity, now: prod.now, using: &twin.rng)
        #expect(throws: PeerRefusal.unknownAuthority) { try pin.verify(leaf.presented + [root], now: prod.now) }
        let many = Array(repeating: root, count: 20)
        #expect(throws: PeerRefusal.self) { try pin.verify(own.presented + many, now: prod.now) }
        #expect(throws: PeerRefusal.self) { try pin.verify(own.presented + [root], now: prod.now + .hours(-3)) }
    }

    /// A token from before a rotation works after it.
    @Test func anOldRootsTokenOutlivesTheRotation() throws {
        var prod = try TestMesh()
        let pin = JoinPin(try Self.token(&prod))
        let old = prod.authority.root
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        try prod.authority.switchRoots(now: prod.now)
        let host = try prod.join("web-1")
        let leaf = try host.mint(host.identity, now: prod.now, using: &prod.rng)
        let bundle = prod.authority.bundle
        let shown = leaf.presented + (bundle.crossings + bundle.roots).map(\.der)
        let found = try pin.verify(shown, now: prod.now)
        #expect(found.root == old)
        #expect(try prod.authority.signedBundle().open(mesh: prod.authority.mesh, trusting: [found.root]) == bundle)
    }
}

import Testing
import WeftCore
import WeftIdentity

/// The signed document that tells hosts what to trust.
@Suite struct BundleTests {
    static func full() throws -> TestMesh {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        try prod.authority.revoke(host.intermediate, now: prod.now)
        try prod.authority.revoke(nodeName("db-1"), now: prod.now)
        try prod.authority.revoke(nodeName("db-2"), now: prod.now + .seconds(1))
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        return prod
    }

    @Test func whatIsSignedIsWhatIsOpened() throws {
        let prod = try Self.full()
        let document = try prod.authority.signedBundle()
        let received = try SignedTrustBundle(bytes: document.bytes)
        #expect(received == document)
        #expect(received.version == prod.authority.bundle.version)
        #expect(try received.open(mesh: prod.authority.mesh, trusting: [prod.authority.root]) == prod.authority.bundle)
    }

    /// All but the signature is the same whenever it is made: what differs is the randomness in ECDSA.
    @Test func oneBundleHasOneForm() throws {
        let prod = try Self.full()
        let documents = try (0..<3).map { _ in try prod.authority.signedBundle().bytes }
        let signed = documents.map { $0.dropLast(80) }
        #expect(Set(signed.map { Array($0.prefix(1000)) }).count == 1)
    }

    @Test func everyByteIsCovered() throws {
        let prod = try Self.full()
        let bytes = try prod.authority.signedBundle().bytes
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= UInt8(1 << (index % 8))
            #expect(throws: BundleRefusal.self, "byte \(index)") {
                try SignedTrustBundle(bytes: changed).open(
                    mesh: prod.authority.mesh,
                    trusting: prod.authority.bundle.roots
                )
            }
        }
    }

    @Test func everyCutIsRefused() throws {
        let bytes = try Self.full().authority.signedBundle().bytes
        for count in bytes.indices {
            #expect(throws: BundleRefusal.self) { try SignedTrustBundle(bytes: Array(bytes.prefix(count))) }
        }
        #expect(throws: BundleRefusal.self) { try SignedTrustBundle(bytes: bytes + [0]) }
        let huge = [UInt8](repeating: 0, count: SignedTrustBundle.bytesMax + 1)
        #expect(throws: BundleRefusal.malformed(what: "size", at: SignedTrustBundle.bytesMax)) {
            try SignedTrustBundle(bytes: huge)
        }
    }

    @Test func strangersDocumentsAreRefused() throws {
        let prod = try TestMesh()
        let twin = try TestMesh(seed: 2)
        let other = try TestMesh("test", seed: 3)
        #expect(throws: BundleRefusal.unknownSigner) {
            try twin.authority.signedBundle().open(mesh: prod.authority.mesh, trusting: [prod.authority.root])
        }
        #expect(throws: BundleRefusal.wrongMesh(other.authority.mesh)) {
            try other.authority.signedBundle().open(mesh: prod.authority.mesh, trusting: [other.authority.root])
        }
    }

    @Test func theNewerVersionWinsAndTiesHaveOneWinner() throws {
        var prod = try TestMesh()
        let first = try prod.authority.signedBundle()
        try prod.authority.revoke(nodeName("a"), now: prod.now)
        let second = try prod.authority.signedBundle()
        #expect(second.isNewer(than: first))
        #expect(!first.isNewer(than: second))
        #expect(!second.isNewer(than: second))
        let again = try prod.authority.signedBundle()
        #expect(again.isNewer(than: second) != second.isNewer(than: again))
    }

    /// Two hosts hold the authority and revoke at once: nothing is lost.
    @Test func holdersOfOneAuthorityConverge() throws {
        let prod = try TestMesh()
        var (left, right) = (prod.authority, prod.authority)
        try left.revoke(nodeName("a"), now: prod.now)
        try right.revoke(nodeName("b"), now: prod.now)
        let (fromLeft, fromRight) = (try left.signedBundle(), try right.signedBundle())
        let isMerged = try left.adopt(fromRight, now: prod.now)
        #expect(isMerged)
        #expect(left.bundle.version == 3)
        _ = try right.adopt(fromLeft, now: prod.now)
        let names = ["a", "b"]
        #expect(left.bundle.revokedNodes.keys.map(\.text).sorted() == names)
        #expect(right.bundle.revokedNodes.keys.map(\.text).sorted() == names)

        // Both have made a third version that says the same: they leave it at that.
        let (thirdOfLeft, thirdOfRight) = (try left.signedBundle(), try right.signedBundle())
        #expect(thirdOfLeft.version == thirdOfRight.version)
        let isOutbid = (try left.adopt(thirdOfRight, now: prod.now), try right.adopt(thirdOfLeft, now: prod.now))
        #expect(isOutbid == (false, false))

        // A newer version that lacks a revocation gets it back.
        var third = prod.authority
        for name in ["c", "d", "e"] { try third.revoke(nodeName(name), now: prod.now) }
        let isRepaired = try left.adopt(third.signedBundle(), now: prod.now)
        #expect(isRepaired)
        #expect(left.bundle.revokedNodes.count == 5)
        #expect(left.bundle.version == 5)
        let isOldTaken = try left.adopt(fromLeft, now: prod.now)
        #expect(!isOldTaken)
        let isOwnTaken = try left.adopt(left.signedBundle(), now: prod.now)
        #expect(!isOwnTaken)
    }

    /// One holder prepares a rotation while the other revokes: neither undoes the other's work.
    @Test func aRotationSurvivesAnotherHoldersChanges() throws {
        var prod = try TestMesh()
        var (left, right) = (prod.authority, prod.authority)
        try left.prepareRotation(now: prod.now, using: &prod.rng)
        for name in ["a", "b"] { try right.revoke(nodeName(name), now: prod.now) }
        let isNew = try left.adopt(right.signedBundle(), now: prod.now)
        #expect(isNew)
        #expect(left.bundle.roots.count == 2)
        #expect(left.bundle.revokedNodes.count == 2)
        _ = try right.adopt(left.signedBundle(), now: prod.now)
        #expect(right.bundle == left.bundle)
        try left.switchRoots(now: prod.now)
        let leaf = try prod.mint("api", on: prod.join("old"))
        #expect(try PeerVerifier(bundle: left.bundle).verify(leaf.presented, as: .client, now: prod.now).node != nil)
    }

    @Test func aHolderWhoseRootWasRotatedAwayIsTold() throws {
        var prod = try TestMesh()
        var other = prod.authority
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        let isNew = try other.adopt(prod.authority.signedBundle(), now: prod.now)
        #expect(!isNew)
        #expect(other.bundle.roots.count == 2)
        try prod.authority.switchRoots(now: prod.now)
        try prod.authority.finishRotation(now: prod.now)
        #expect(throws: AdoptionError.rootsMovedOn) {
            try other.adopt(prod.authority.signedBundle(), now: prod.now)
        }
    }
}

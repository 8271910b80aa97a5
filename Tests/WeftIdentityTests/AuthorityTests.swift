import Crypto
import SwiftASN1
import Testing
import WeftCore
import WeftIdentity
import X509

/// Signing for hosts, renewing, revoking.
@Suite struct AuthorityTests {
    @Test func aNewMeshHasItsShape() throws {
        let prod = try TestMesh()
        let root = prod.authority.root
        let parsed = try Certificate(derEncoded: root.der)
        #expect(parsed.subject.description == "CN=prod")
        #expect(parsed.issuer == parsed.subject)
        #expect(try parsed.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(try parsed.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(root.validity.notAfter == prod.now + .days(3650))
        #expect(root.validity.notBefore == prod.now + .hours(-1))
        #expect(prod.authority.bundle.roots == [root])
        #expect(prod.authority.bundle.version == 1)
    }

    @Test func anIntermediateHasItsShape() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        let parsed = try Certificate(derEncoded: host.intermediate.der)
        #expect(try parsed.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        #expect(host.intermediate.identity?.description == "spiffe://prod/ns/weft/sa/web-1")
        #expect(host.intermediate.validity.notAfter == prod.now + .days(30))
        #expect(host.chain.count == 1)
        #expect(host.intermediate.serial != prod.authority.root.serial)
    }

    @Test func aLeafHasItsShape() throws {
        var prod = try TestMesh()
        let leaf = try prod.mint("api", on: prod.join("web-1")).leaf
        let parsed = try Certificate(derEncoded: leaf.der)
        #expect(parsed.subject.isEmpty)
        #expect(parsed.extensions[oid: [2, 5, 29, 17]]?.critical == true)
        #expect(try parsed.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth, .clientAuth]))
        #expect(try parsed.extensions.keyUsage == KeyUsage(digitalSignature: true))
        #expect(P256.Signing.PublicKey(parsed.publicKey) != nil)
        #expect(leaf.validity.notAfter == prod.now + .hours(24))
        #expect(leaf.validity.notBefore == prod.now + .hours(-1))
    }

    @Test func requestsAreChecked() throws {
        var prod = try TestMesh()
        let identity = SpiffeID(mesh: try mesh("prod"), node: try nodeName("web-1"))
        let good = try NodeKey().request(for: identity).der
        #expect(try NodeRequest(der: good).identity == identity)
        let key = try NodeRequest(der: good).keyFingerprint
        for index in good.indices {
            var changed = good
            changed[index] ^= 1
            // A signature's length in bits can be written in two ways; all else is refused.
            guard let same = try? NodeRequest(der: changed) else { continue }
            #expect(same.identity == identity && same.keyFingerprint == key, "byte \(index)")
        }
        let ofWorkload = try NodeKey().request(for: workload("api")).der
        #expect(throws: IdentityError.self) { try NodeRequest(der: ofWorkload) }
        let foreign = SpiffeID(mesh: try mesh("test"), node: try nodeName("web-1"))
        let other = try NodeRequest(der: NodeKey().request(for: foreign).der)
        #expect(throws: IdentityError.wrongMesh) {
            try prod.authority.sign(other, allowed: nil, now: prod.now, using: &prod.rng)
        }
    }

    @Test func aChainBelongsToItsKey() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        #expect(throws: IdentityError.foreignKey) { try NodeIdentity(key: NodeKey(), chain: host.chain) }
        #expect(throws: IdentityError.self) { try NodeIdentity(key: NodeKey(), chain: []) }
    }

    @Test(arguments: [(0, true), (15, true), (30, true), (59, true), (61, false)])
    func aHostRenewsUntilTheGraceIsOver(_ days: Int, _ isGranted: Bool) throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        prod.advance(.days(days))
        let request = try host.renewalRequest()
        guard isGranted else {
            #expect(throws: IdentityError.pastGrace(ended: host.intermediate.validity.notAfter)) {
                try prod.authority.renew(request, now: prod.now, using: &prod.rng)
            }
            return
        }
        let chain = try prod.authority.renew(request, now: prod.now, using: &prod.rng)
        let renewed = try host.renewed(chain)
        #expect(renewed.intermediate.validity.notAfter == prod.now + .days(30))
        let leaf = try prod.mint("api", on: renewed)
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node?.text == "web-1")
    }

    @Test func arenewalNeedsTheSameKeyNameAndMesh() throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        let db = try prod.join("db-1")
        let stolen = RenewalRequest(request: try db.renewalRequest().request, current: web.intermediate)
        #expect(throws: IdentityError.wrongNode(try nodeName("db-1"))) {
            try prod.authority.renew(stolen, now: prod.now, using: &prod.rng)
        }
        let otherKey = try NodeKey().request(for: web.identity)
        #expect(throws: IdentityError.foreignKey) {
            try prod.authority.renew(
                RenewalRequest(request: otherKey, current: web.intermediate),
                now: prod.now,
                using: &prod.rng
            )
        }
        var twin = try TestMesh(seed: 2)
        #expect(throws: IdentityError.unknownIssuer) {
            try twin.authority.renew(web.renewalRequest(), now: prod.now, using: &twin.rng)
        }
    }

    @Test func aRevokedHostIsOutUntilATokenLetsItInAgain() throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        let db = try prod.join("db-1")
        let webLeaf = try prod.mint("api", on: web)
        let dbLeaf = try prod.mint("db", on: db)
        let peer = try prod.verifier.verify(webLeaf.presented, as: .client, now: prod.now)
        prod.advance(.seconds(10))
        try prod.authority.revoke(web.node, now: prod.now)
        #expect(prod.authority.bundle.version == 2)

        let revoked = PeerRefusal.revoked(web.node)
        #expect(throws: revoked) { try prod.verifier.verify(webLeaf.presented, as: .client, now: prod.now) }
        #expect(throws: revoked) { try prod.verifier.recheck(peer, now: prod.now) }
        #expect(try prod.verifier.verify(dbLeaf.presented, as: .client, now: prod.now).node == db.node)
        #expect(throws: IdentityError.revoked(web.node)) {
            try prod.authority.renew(web.renewalRequest(), now: prod.now, using: &prod.rng)
        }

        prod.advance(.seconds(2))
        let again = try prod.join("web-1")
        let leaf = try prod.mint("api", on: again)
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node == web.node)
        #expect(throws: revoked) { try prod.verifier.verify(webLeaf.presented, as: .client, now: prod.now) }
    }

    @Test func aSingleIntermediateCanBeRevoked() throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        let leaf = try prod.mint("api", on: web)
        try prod.authority.revoke(web.intermediate, now: prod.now)
        #expect(throws: PeerRefusal.revoked(web.node)) {
            try prod.verifier.verify(leaf.presented, as: .server, now: prod.now)
        }
        let again = try prod.mint("api", on: prod.join("web-1"))
        #expect(try prod.verifier.verify(again.presented, as: .server, now: prod.now).node == web.node)
    }

    @Test func revocationsAreForgottenWhenNothingCanFallUnderThem() throws {
        var prod = try TestMesh()
        try prod.authority.revoke(nodeName("old"), now: prod.now)
        prod.advance(.days(60))
        try prod.authority.revoke(nodeName("older"), now: prod.now)
        #expect(prod.authority.bundle.revokedNodes.count == 2)
        prod.advance(.days(2))
        try prod.authority.revoke(nodeName("newest"), now: prod.now)
        #expect(prod.authority.bundle.revokedNodes.keys.map(\.text).sorted() == ["newest", "older"])
    }

    @Test func revocationsAreBounded() throws {
        var bundle = try TestMesh()
        for number in 0..<TrustBundle.revocationsMax {
            try bundle.authority.revoke(nodeName("n\(number)"), now: bundle.now)
        }
        let version = bundle.authority.bundle.version
        #expect(throws: IdentityError.self) { try bundle.authority.revoke(nodeName("more"), now: bundle.now) }
        #expect(bundle.authority.bundle.version == version)
        let document = try bundle.authority.signedBundle()
        #expect(document.bytes.count <= SignedTrustBundle.bytesMax)
        #expect(try document.open(mesh: mesh("prod"), trusting: [bundle.authority.root]) == bundle.authority.bundle)
    }

    @Test func aCheckedPeerIsOutWhenItsCertificateEnds() throws {
        var prod = try TestMesh()
        let leaf = try prod.mint("api", on: prod.join("web-1"), lifetime: .seconds(10))
        let peer = try prod.verifier.verify(leaf.presented, as: .client, now: prod.now)
        try prod.verifier.recheck(peer, now: prod.now + .seconds(10))
        #expect(throws: PeerRefusal.self) { try prod.verifier.recheck(peer, now: prod.now + .seconds(11)) }
    }
}

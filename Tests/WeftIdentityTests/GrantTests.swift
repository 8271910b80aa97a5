import Testing
import WeftCore
import WeftIdentity

/// The authority on a second host, and hosts that come back from far away.
@Suite struct GrantTests {
    @Test(arguments: [false, true])
    func aGrantedAuthorityIsAsGoodAsTheFirst(_ rotating: Bool) throws {
        var prod = try TestMesh()
        let second = try prod.join("ca-2")
        if rotating { try prod.authority.prepareRotation(now: prod.now, using: &prod.rng) }
        let sent = try AuthorityGrant(prod.authority, for: second.intermediate, now: prod.now)
        var other = try AuthorityGrant(bytes: sent.bytes).open(by: second, trusting: prod.authority.bundle)
        #expect(other.bundle == prod.authority.bundle)
        if rotating { try other.switchRoots(now: prod.now) }
        let identity = SpiffeID(mesh: other.mesh, node: try nodeName("web-1"))
        let key = NodeKey()
        let chain = try other.sign(key.request(for: identity), allowed: nil, now: prod.now, using: &prod.rng)
        let leaf = try prod.mint("api", on: NodeIdentity(key: key, chain: chain))
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).identity.account == "api")
    }

    @Test func aGrantIsForOneHost() throws {
        var prod = try TestMesh()
        let (second, third) = (try prod.join("ca-2"), try prod.join("ca-3"))
        let grant = try AuthorityGrant(prod.authority, for: second.intermediate, now: prod.now)
        #expect(throws: IdentityError.self) { try grant.open(by: third, trusting: prod.authority.bundle) }
        for index in grant.bytes.indices {
            var changed = grant.bytes
            changed[index] ^= 1
            #expect(throws: IdentityError.self, "byte \(index)") {
                try AuthorityGrant(bytes: changed).open(by: second, trusting: prod.authority.bundle)
            }
        }
        #expect(!grant.bytes.contains("PRIVATE KEY"))
        let twin = try TestMesh(seed: 2)
        #expect(throws: IdentityError.unknownIssuer) {
            try AuthorityGrant(twin.authority, for: second.intermediate, now: prod.now)
        }
        #expect(throws: IdentityError.unknownIssuer) {
            try grant.open(by: second, trusting: twin.authority.bundle)
        }
        try prod.authority.revoke(second.node, now: prod.now)
        #expect(throws: IdentityError.revoked(second.node)) {
            try AuthorityGrant(prod.authority, for: second.intermediate, now: prod.now)
        }
    }

    /// Away past its certificate's end and through a whole rotation: the host still knows the mesh, and the mesh it.
    @Test func aHostRenewsThroughTheJoinService() throws {
        var prod = try TestMesh()
        let away = try prod.join("away")
        let known = prod.authority.bundle
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        prod.advance(.days(1))
        try prod.authority.switchRoots(now: prod.now)
        prod.advance(.days(40))
        let server = try TLSTests.Hosts.snapshot("server-1", [], &prod)
        let run = try Handshake(
            client: JoinPin.clientContext(),
            server: server.joinServerContext(),
            serverName: ServerName.join.text,
            expecting: [server.host],
            verifiers: (PeerVerifier(bundle: known), server.verifier),
            now: prod.now
        )
        #expect(try run.atClient?.get().identity == server.host)

        #expect(prod.now < away.renewableUntil)
        let sent = try away.renewalRequest().encoded
        #expect(RenewalRequest.isRenewal(sent))
        let request = try RenewalRequest(encoded: sent)
        let chain = try prod.authority.renew(request, now: prod.now, using: &prod.rng)
        let bundle = try prod.authority.signedBundle().open(mesh: prod.authority.mesh, trusting: known.roots)
        let leaf = try prod.mint("api", on: away.renewed(chain))
        let peer = try PeerVerifier(bundle: bundle).verify(leaf.presented, as: .client, now: prod.now)
        #expect(peer.node == away.node)
    }

    @Test func brokenRenewalsAreRefused() throws {
        var prod = try TestMesh()
        let sent = try prod.join("web-1").renewalRequest().encoded
        for count in sent.indices {
            #expect(throws: JoinRefusal.malformedRequest) { try RenewalRequest(encoded: Array(sent.prefix(count))) }
        }
        #expect(throws: JoinRefusal.malformedRequest) { try RenewalRequest(encoded: sent + [0]) }
        #expect(JoinRefusal(.pastGrace(ended: prod.now)) == .pastGrace)
        #expect(JoinRefusal(.unknownIssuer) == .unknownHost)
        #expect(JoinRefusal(.noPossession) == .malformedRequest)
    }
}

extension [UInt8] {
    fileprivate func contains(_ text: String) -> Bool { String(decoding: self, as: UTF8.self).contains(text) }
}

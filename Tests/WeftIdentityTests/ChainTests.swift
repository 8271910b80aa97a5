import Testing
import WeftCore
import WeftIdentity

/// Good chains, and who they say the peer is.
@Suite struct ChainTests {
    @Test(arguments: [PeerVerifier.Role.client, .server])
    func aWorkloadIsAttributedToTheHostThatMintedIt(_ role: PeerVerifier.Role) throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        let leaf = try prod.mint("api", on: web)
        let peer = try prod.verifier.verify(leaf.presented, as: role, now: prod.now)
        #expect(peer.identity.description == "spiffe://prod/ns/system/sa/api")
        #expect(peer.node?.text == "web-1")
        #expect(peer.serial == leaf.leaf.serial)
        #expect(peer.notAfter == leaf.validity.notAfter)
        #expect(peer.root == prod.authority.root.fingerprint)
    }

    @Test func aHostIsItself() throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        let leaf = try web.mint(web.identity, now: prod.now, using: &prod.rng)
        let peer = try prod.verifier.verify(leaf.presented, as: .server, now: prod.now)
        #expect(peer.identity.node?.text == "web-1")
        #expect(peer.node?.text == "web-1")
    }

    @Test func theOrderAfterTheLeafDoesNotMatterAndTheRootMayBeShown() throws {
        var prod = try TestMesh()
        let leaf = try prod.mint("api", on: prod.join("web-1"))
        let chain = [leaf.presented[0], prod.authority.root.der, leaf.presented[1]]
        #expect(try prod.verifier.verify(chain, as: .client, now: prod.now).node?.text == "web-1")
    }

    @Test func hostsWithTheLongestNamesWork() throws {
        var prod = try TestMesh(String(repeating: "m", count: 63))
        let name = String(repeating: "Node_1.", count: 18)
        let leaf = try prod.mint("api", on: prod.join(name))
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node?.text == name)
    }

    @Test func aLeafEndsWithItsIntermediate() throws {
        var prod = try TestMesh()
        let web = try prod.join("web-1")
        prod.advance(.days(29) + .hours(12))
        let leaf = try prod.mint("api", on: web)
        #expect(leaf.validity.notAfter == web.intermediate.validity.notAfter)
        prod.advance(.hours(13))
        #expect(throws: IdentityError.issuerNotValid(web.intermediate.validity)) {
            try prod.mint("api", on: web)
        }
    }

    @Test func everyPairOfHostsBelievesEachOther() throws {
        var prod = try TestMesh()
        for name in ["a", "b", "c"] {
            let node = try prod.join(name)
            for service in ["api", "web"] {
                let leaf = try prod.mint(service, on: node)
                let peer = try prod.verifier.verify(leaf.presented, as: .client, now: prod.now)
                #expect(peer.node == node.node)
                #expect(peer.identity.account == service)
            }
        }
    }
}

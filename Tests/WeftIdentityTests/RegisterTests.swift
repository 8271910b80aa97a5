import Testing
import WeftCore

@testable import WeftIdentity

/// What an authority remembers of the certificates that it gave.
@Suite struct RegisterTests {
    @Test func theLastTwoOfAHostAreRemembered() throws {
        var prod = try TestMesh()
        let nodes = try (0..<3).map { _ in try prod.join("web-1") }
        var register = HostRegister()
        for node in nodes { register.add(node.intermediate, of: node.node, now: prod.now) }
        #expect(nodes.map { register.contains($0.intermediate, of: $0.node) } == [false, true, true])
        #expect(try !register.contains(nodes[2].intermediate, of: nodeName("web-2")))
        #expect(try HostRegister(encoded: register.encoded) == register)
        // Past the grace nothing can be renewed.
        prod.advance(.days(61))
        let other = try prod.join("web-2")
        register.add(other.intermediate, of: other.node, now: prod.now)
        #expect(register.hosts.keys.map(\.text) == ["web-2"])
    }

    @Test func whatTwoHoldersRememberIsMerged() throws {
        var prod = try TestMesh()
        let (first, second, third) = (try prod.join("web-1"), try prod.join("web-1"), try prod.join("web-2"))
        var (left, right) = (HostRegister(), HostRegister())
        left.add(first.intermediate, of: first.node, now: prod.now)
        right.add(second.intermediate, of: second.node, now: prod.now)
        right.add(third.intermediate, of: third.node, now: prod.now)
        left.merge(right)
        for node in [first, second, third] { #expect(left.contains(node.intermediate, of: node.node)) }
        let merged = left
        left.merge(right)
        #expect(left == merged)
    }

    @Test func whatARootOfBeforeSignedIsRenewedWhenItIsRemembered() throws {
        var prod = try TestMesh()
        let (known, unknown) = (try prod.join("web-1"), try prod.join("web-2"))
        prod.authority.register(known.chain, now: prod.now)
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        try prod.authority.switchRoots(now: prod.now)
        try prod.authority.finishRotation(now: prod.now)
        let chain = try prod.authority.renew(known.renewalRequest(), now: prod.now, using: &prod.rng)
        #expect(prod.authority.bundle.root(of: chain[0]) == prod.authority.root)
        #expect(throws: IdentityError.unknownIssuer) {
            _ = try prod.authority.renew(unknown.renewalRequest(), now: prod.now, using: &prod.rng)
        }
        // A revocation holds for it as well.
        try prod.authority.revoke(known.node, now: prod.now)
        #expect(throws: IdentityError.revoked(known.node)) {
            _ = try prod.authority.renew(known.renewalRequest(), now: prod.now, using: &prod.rng)
        }
    }
}

import Testing
import WeftCore
import WeftIdentity

/// Whatever bytes come, decoders answer: with a value or with a typed refusal, never with a crash or an endless wait.
@Suite struct GarbageTests {
    /// Good documents of every kind that comes from outside, and the decoder for each.
    static func decoders() throws -> [(good: [UInt8], decode: ([UInt8]) -> Void)] {
        var prod = try TestMesh()
        let token = try JoinPinTests.token(&prod)
        let host = try prod.join("web-1", allowed: AllowedServicesTests.list("api"))
        let leaf = try prod.mint("api", on: host)
        let request = try JoinRequest(token: token, node: nodeName("new"), key: NodeKey(), now: prod.now)
        let bundle = try prod.authority.signedBundle()
        let grant = JoinGrant(mesh: prod.authority.mesh, chain: host.chain, bundle: bundle, gossipKey: [1])
        let answer = JoinAnswer(clock: prod.now, outcome: .success(grant))
        let sealed = try AuthorityGrant(prod.authority, for: host.intermediate, now: prod.now)
        let (verifier, trusted, now) = (prod.verifier, prod.authority.bundle, prod.now)
        return [
            (leaf.leaf.der, { _ = try? verifier.verify([$0] + leaf.presented.dropFirst(), as: .client, now: now) }),
            (host.intermediate.der, { _ = try? verifier.verify([leaf.leaf.der, $0], as: .client, now: now) }),
            (request.node.der, { _ = try? NodeRequest(der: $0) }),
            (request.encoded, { _ = try? JoinRequest(encoded: $0) }),
            (answer.encoded, { _ = try? JoinAnswer(encoded: $0) }),
            (bundle.bytes, { _ = try? SignedTrustBundle(bytes: $0).open(mesh: trusted.mesh, trusting: trusted.roots) }),
            (try host.renewalRequest().encoded, { _ = try? RenewalRequest(encoded: $0) }),
            (sealed.bytes, { _ = try? AuthorityGrant(bytes: $0).open(by: host, trusting: trusted) }),
            (Array(token.line.utf8), { _ = try? JoinToken(line: String(decoding: $0, as: UTF8.self)) }),
            (
                Array(try prod.authority.exportPEM().utf8),
                { bytes in
                    _ = try? MeshAuthority.found(trusted.mesh, pem: String(decoding: bytes, as: UTF8.self), now: now)
                }
            ),
        ]
    }

    @Test(arguments: 0..<10)
    func mutatedDocumentsAreAnswered(_ seed: UInt64) throws {
        var rng = SeededGenerator(seed)
        for (good, decode) in try Self.decoders() {
            for _ in 0..<50 {
                var bytes = good
                for _ in 0...Int.random(in: 0..<4, using: &rng) { Self.mutate(&bytes, using: &rng) }
                decode(bytes)
            }
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using rng: inout SeededGenerator) {
        let index = Int.random(in: 0...bytes.count, using: &rng)
        switch Int.random(in: 0..<5, using: &rng) {
        case 0: bytes = Array(bytes.prefix(index))
        case 1: bytes.insert(contentsOf: (0..<4).map { _ in UInt8.random(in: 0...255, using: &rng) }, at: index)
        case 2: bytes.replaceSubrange(index..<min(index + 4, bytes.count), with: [255, 255, 255, 255])
        case 3: bytes.replaceSubrange(index..<bytes.count, with: bytes.prefix(index))
        default: if index < bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &rng) }
        }
    }
}

import Crypto
import SwiftASN1
import Testing
import WeftCore
import WeftIdentity
import X509

/// Chains with one thing wrong each: refused, and by the right name.
@Suite struct RefusalTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let name: PeerRefusal.Name
        var role = PeerVerifier.Role.client
        let chain: @Sendable (Forge) throws -> [[UInt8]]
    }

    static let wrongs: [Wrong] = [
        Wrong(testDescription: "nothing shown", name: .noCertificate) { _ in [] },
        Wrong(testDescription: "no certificate at all", name: .malformed) { _ in [[0x30, 0x03, 1, 2, 3]] },
        Wrong(testDescription: "too many", name: .malformed) { forge in
            try forge.chain() + Array(repeating: der(forge.root), count: 9)
        },
        Wrong(testDescription: "too large", name: .malformed) { forge in
            try forge.chain { plan in
                plan.more = [.init(oid: [1, 2, 3], critical: false, value: [UInt8](repeating: 0, count: 9000)[...])]
            }
        },
        Wrong(testDescription: "leaf alone", name: .unknownAuthority) { forge in
            Array(try forge.chain().prefix(1))
        },
        Wrong(testDescription: "another mesh's authority of the same name", name: .unknownAuthority) { _ in
            try Forge().chain()
        },
        Wrong(testDescription: "its own root shown along", name: .unknownAuthority) { _ in
            let other = try Forge()
            return try other.chain() + [der(other.root)]
        },
        Wrong(testDescription: "leaf ended", name: .expired) { forge in
            try forge.chain { $0.notAfter = .seconds(-1) }
        },
        Wrong(testDescription: "intermediate ended", name: .expired) { forge in
            try forge.chain(intermediate: { $0.notAfter = .seconds(-1) })
        },
        Wrong(testDescription: "leaf not begun", name: .notYetValid) { forge in
            try forge.chain { $0.notBefore = .seconds(1) }
        },
        Wrong(testDescription: "intermediate not begun", name: .notYetValid) { forge in
            try forge.chain(intermediate: { $0.notBefore = .seconds(1) })
        },
        Wrong(testDescription: "leaf of another mesh", name: .wrongTrustDomain) { forge in
            try forge.chain { $0.uris = ["spiffe://test/ns/system/sa/api"] }
        },
        Wrong(testDescription: "intermediate of another mesh", name: .wrongTrustDomain) { forge in
            try forge.chain(intermediate: { $0.uris = ["spiffe://test/ns/weft/sa/web-1"] })
        },
        Wrong(testDescription: "no name", name: .noIdentity) { forge in
            try forge.chain { $0.uris = [] }
        },
        Wrong(testDescription: "two names", name: .noIdentity) { forge in
            try forge.chain { $0.uris = ["spiffe://prod/ns/system/sa/api", "spiffe://prod/ns/system/sa/web"] }
        },
        Wrong(testDescription: "another shape", name: .noIdentity) { forge in
            try forge.chain { $0.uris = ["spiffe://prod/api"] }
        },
        Wrong(testDescription: "another scheme", name: .noIdentity) { forge in
            try forge.chain { $0.uris = ["https://prod/ns/system/sa/api"] }
        },
        Wrong(testDescription: "intermediate of a workload", name: .noIdentity) { forge in
            try forge.chain(intermediate: { $0.uris = ["spiffe://prod/ns/system/sa/api"] })
        },
        Wrong(testDescription: "another host", name: .notAllowed) { forge in
            try forge.chain { $0.uris = ["spiffe://prod/ns/weft/sa/web-2"] }
        },
        Wrong(testDescription: "not a client", name: .wrongUsage, role: .client) { forge in
            try forge.chain { $0.purposes = [.serverAuth] }
        },
        Wrong(testDescription: "not a server", name: .wrongUsage, role: .server) { forge in
            try forge.chain { $0.purposes = [.clientAuth] }
        },
        Wrong(testDescription: "no purpose", name: .wrongUsage) { forge in
            try forge.chain { $0.purposes = nil }
        },
        Wrong(testDescription: "issuer for another purpose", name: .wrongUsage) { forge in
            try forge.chain(intermediate: { $0.purposes = [.serverAuth] })
        },
        Wrong(testDescription: "leaf that is an authority", name: .wrongUsage) { forge in
            try forge.chain { $0.constraints = .isCertificateAuthority(maxPathLength: 0) }
        },
        Wrong(testDescription: "leaf that may sign certificates", name: .wrongUsage) { forge in
            try forge.chain { $0.keyUsage = KeyUsage(digitalSignature: true, keyCertSign: true) }
        },
        Wrong(testDescription: "leaf that may not sign handshakes", name: .wrongUsage) { forge in
            try forge.chain { $0.keyUsage = KeyUsage(keyAgreement: true) }
        },
        Wrong(testDescription: "intermediate that is no authority", name: .wrongUsage) { forge in
            try forge.chain(intermediate: { $0.constraints = .notCertificateAuthority })
        },
        Wrong(testDescription: "intermediate without constraints", name: .wrongUsage) { forge in
            try forge.chain(intermediate: { $0.constraints = nil })
        },
        Wrong(testDescription: "intermediate that may not sign certificates", name: .wrongUsage) { forge in
            try forge.chain(intermediate: { $0.keyUsage = KeyUsage(digitalSignature: true) })
        },
        Wrong(testDescription: "unknown critical extension", name: .malformed) { forge in
            try forge.chain { $0.more = [.init(oid: [1, 2, 3], critical: true, value: [5, 0])] }
        },
        Wrong(testDescription: "name constraints", name: .malformed) { forge in
            try forge.chain(intermediate: {
                $0.more = [try .init(NameConstraints(permittedURIDomains: ["prod"]), critical: false)]
            })
        },
        Wrong(testDescription: "unreadable list of services", name: .malformed) { forge in
            try forge.chain(intermediate: {
                $0.more = [.init(oid: [1, 3, 6, 1, 4, 1, 32473, 15008, 1], critical: false, value: [4, 1, 65])]
            })
        },
        Wrong(testDescription: "intermediate below an intermediate", name: .wrongUsage) { forge in
            let keys = (0..<3).map { _ in P256.Signing.PrivateKey() }
            let upper = try forge.signed(.intermediate("spiffe://prod/ns/weft/sa/web-1"), key: keys[0])
            let lower = try Forge.make(
                .intermediate("spiffe://prod/ns/weft/sa/web-2"),
                key: keys[1].publicKey,
                issuer: upper.subject,
                issuerKey: keys[0],
                now: forge.now
            )
            let leaf = try Forge.make(
                Forge.Plan(),
                key: keys[2].publicKey,
                issuer: lower.subject,
                issuerKey: keys[1],
                now: forge.now
            )
            return try [leaf, lower, upper].map(der)
        },
        Wrong(testDescription: "leaf signed by a leaf", name: .wrongUsage) { forge in
            let keys = (0..<2).map { _ in P256.Signing.PrivateKey() }
            var plan = Forge.Plan()
            plan.subject = try DistinguishedName { CommonName("web") }
            let first = try forge.signed(plan, key: keys[0])
            let second = try Forge.make(
                Forge.Plan(),
                key: keys[1].publicKey,
                issuer: first.subject,
                issuerKey: keys[0],
                now: forge.now
            )
            return try [second, first].map(der)
        },
    ]

    @Test(arguments: wrongs)
    func isRefused(_ wrong: Wrong) throws {
        let forge = try Forge()
        let chain = try wrong.chain(forge)
        do throws(PeerRefusal) {
            let peer = try forge.verifier.verify(chain, as: wrong.role, now: forge.now)
            Issue.record("\(peer.identity) was let in")
        } catch {
            #expect(error.name == wrong.name, "\(error)")
        }
    }

    @Test func theForgeIsGoodWhenNothingIsChanged() throws {
        let forge = try Forge()
        for role in [PeerVerifier.Role.client, .server] {
            #expect(try forge.verifier.verify(forge.chain(), as: role, now: forge.now).node?.text == "web-1")
        }
    }

    @Test func aLeafOfTheRootItselfHasNoHost() throws {
        let forge = try Forge()
        let leaf = try forge.signed(Forge.Plan(), key: P256.Signing.PrivateKey())
        let peer = try forge.verifier.verify([der(leaf)], as: .client, now: forge.now)
        #expect(peer.node == nil)
        #expect(peer.identity.account == "api")
    }

    /// No change makes another peer. A few make another way to write the same: the length of a signature in bits.
    @Test func everyByteCounts() throws {
        let forge = try Forge()
        let chain = try forge.chain()
        let peer = try forge.verifier.verify(chain, as: .client, now: forge.now)
        var accepted = 0
        for part in chain.indices {
            for index in chain[part].indices {
                var changed = chain
                changed[part][index] ^= 1
                guard let same = try? forge.verifier.verify(changed, as: .client, now: forge.now) else { continue }
                #expect(same == peer, "certificate \(part), byte \(index)")
                accepted += 1
            }
        }
        #expect(accepted <= 2)
    }

    @Test func clocksAreNamed() throws {
        let forge = try Forge()
        let chain = try forge.chain()
        #expect(throws: PeerRefusal.notYetValid(.leaf, notBefore: forge.now + .hours(-1), ahead: .hours(4))) {
            try forge.verifier.verify(chain, as: .client, now: forge.now + .hours(-5))
        }
        let refusal = #expect(throws: PeerRefusal.self) {
            try forge.verifier.verify(chain, as: .client, now: forge.now + .hours(-5))
        }
        #expect(refusal?.description.contains("4 h ahead of this host's clock") == true)
        #expect(throws: PeerRefusal.expired(.leaf, notAfter: forge.now + .hours(24), ago: .hours(3))) {
            try forge.verifier.verify(chain, as: .client, now: forge.now + .hours(27))
        }
    }

    @Test func everyReasonHasANameOfItsOwn() {
        #expect(Set(PeerRefusal.Name.allCases.map(\.rawValue)).count == PeerRefusal.Name.allCases.count)
    }
}

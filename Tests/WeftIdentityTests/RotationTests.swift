import Crypto
import SwiftASN1
import Testing
import WeftCore
import WeftIdentity
import X509

/// A new root under load: nobody is ever refused who did nothing wrong.
@Suite struct RotationTests {
    /// Two hosts, of which each may hold any bundle from before, during and after the step that the authority has made.
    @Test func everyStepOverlapsTheNext() throws {
        var prod = try TestMesh()
        var leaves = [try prod.mint("api", on: prod.join("old"))]
        var bundles = [prod.authority.bundle]
        func expectAllBelieved(_ bundles: ArraySlice<TrustBundle>, _ leaves: ArraySlice<WorkloadCertificate>) throws {
            for bundle in bundles {
                for leaf in leaves {
                    let peer = try PeerVerifier(bundle: bundle).verify(leaf.presented, as: .client, now: prod.now)
                    #expect(peer.identity.account == "api")
                }
            }
        }

        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        bundles.append(prod.authority.bundle)
        leaves.append(try prod.mint("api", on: prod.join("between")))
        try expectAllBelieved(bundles[...], leaves[...])

        try prod.authority.switchRoots(now: prod.now)
        bundles.append(prod.authority.bundle)
        leaves.append(try prod.mint("api", on: prod.join("new")))
        try expectAllBelieved(bundles[1...], leaves[...])

        try prod.authority.finishRotation(now: prod.now)
        bundles.append(prod.authority.bundle)
        try expectAllBelieved(bundles[1...], leaves[2...])
        #expect(throws: PeerRefusal.unknownAuthority) {
            try prod.verifier.verify(leaves[0].presented, as: .client, now: prod.now)
        }
        let peer = try PeerVerifier(bundle: bundles[2]).verify(leaves[0].presented, as: .client, now: prod.now)
        #expect(throws: PeerRefusal.unknownAuthority) { try prod.verifier.recheck(peer, now: prod.now) }
        #expect(bundles.map(\.version) == [1, 2, 3, 4])
        #expect(bundles.map(\.roots.count) == [1, 2, 2, 1])
    }

    @Test func aHostRenewsAcrossTheSwitch() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        try prod.authority.switchRoots(now: prod.now)
        let chain = try prod.authority.renew(host.renewalRequest(), now: prod.now, using: &prod.rng)
        try prod.authority.finishRotation(now: prod.now)
        let leaf = try prod.mint("api", on: host.renewed(chain))
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node == host.node)
    }

    /// Whatever a host missed, the last bundle finds its way to it.
    @Test func aHostThatSleptThroughRotationsTakesTheLastBundle() throws {
        var prod = try TestMesh()
        let first = prod.authority.bundle
        for _ in 0..<TrustBundle.crossingsMax {
            try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
            let prepared = try prod.authority.signedBundle()
            #expect(try prepared.open(mesh: prod.authority.mesh, trusting: first.roots).roots.count == 2)
            try prod.authority.switchRoots(now: prod.now)
            try prod.authority.finishRotation(now: prod.now)
            let document = try prod.authority.signedBundle()
            let opened = try document.open(mesh: prod.authority.mesh, trusting: first.roots)
            #expect(opened == prod.authority.bundle)
        }
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        #expect(throws: BundleRefusal.unknownSigner) {
            try prod.authority.signedBundle().open(mesh: prod.authority.mesh, trusting: first.roots)
        }
    }

    @Test func stepsComeInOrder() throws {
        var prod = try TestMesh()
        #expect(throws: IdentityError.self) { try prod.authority.switchRoots(now: prod.now) }
        #expect(throws: IdentityError.self) { try prod.authority.finishRotation(now: prod.now) }
        #expect(throws: IdentityError.self) { try prod.authority.cancelRotation(now: prod.now) }
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        #expect(throws: IdentityError.self) {
            try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        }
        try prod.authority.cancelRotation(now: prod.now)
        #expect(prod.authority.bundle.roots.count == 1)
        #expect(prod.authority.bundle.crossings == [])
        #expect(prod.authority.bundle.version == 3)
    }
}

/// The root's key in and out, and authorities from outside.
@Suite struct ExportTests {
    @Test func anExportedAuthorityGoesOn() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        let text = try prod.authority.exportPEM()
        var back = try MeshAuthority(pem: text, bundle: prod.authority.bundle, now: prod.now)
        let chain = try back.renew(host.renewalRequest(), now: prod.now, using: &prod.rng)
        let leaf = try prod.mint("api", on: host.renewed(chain))
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node == host.node)
        try back.revoke(host.node, now: prod.now)
        let document = try back.signedBundle()
        #expect(try document.open(mesh: prod.authority.mesh, trusting: [prod.authority.root]) == back.bundle)
    }

    /// The company's root signs an issuing authority; weft trusts that one, outsiders can follow the chain further up.
    @Test func aCompanysAuthorityCanBeTheMeshs() throws {
        let company = try Forge("company")
        let key = P256.Signing.PrivateKey()
        var plan = try Forge.Plan.intermediate("spiffe://prod")
        plan.constraints = .isCertificateAuthority(maxPathLength: 1)
        let issuing = try company.signed(plan, key: key)
        let authority = try MeshAuthority.found(
            mesh("prod"),
            pem: pem([issuing, company.root], key),
            now: company.now
        )
        var prod = TestMesh(authority: authority)
        let host = try prod.join("web-1")
        #expect(host.chain.map(\.der) == [host.intermediate.der, try der(issuing)])
        let leaf = try prod.mint("api", on: host)
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).node == host.node)

        // What else the company signs is not of the mesh.
        let stranger = try company.signed(Forge.Plan(), key: P256.Signing.PrivateKey())
        #expect(throws: PeerRefusal.unknownAuthority) {
            try prod.verifier.verify([der(stranger), der(issuing), der(company.root)], as: .client, now: prod.now)
        }
    }

    @Test func aMeshCanMoveToACompanysAuthority() throws {
        var prod = try TestMesh()
        let host = try prod.join("web-1")
        let company = try Forge("prod")
        try prod.authority.prepareRotation(
            pem: pem([company.root], company.rootKey),
            now: prod.now,
            using: &prod.rng
        )
        try prod.authority.switchRoots(now: prod.now)
        #expect(prod.authority.root.der == (try der(company.root)))
        let chain = try prod.authority.renew(host.renewalRequest(), now: prod.now, using: &prod.rng)
        let leaf = try prod.mint("api", on: host.renewed(chain))
        #expect(try company.verifier.verify(leaf.presented, as: .client, now: prod.now).node == host.node)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let says: String
        let text: @Sendable (Forge) throws -> String
    }

    static let bads: [Bad] = [
        Bad(testDescription: "nothing", says: "needs one private key") { _ in "" },
        Bad(testDescription: "no PEM", says: "not PEM") { _ in "-----BEGIN CERTIFICATE-----\nxx\n" },
        Bad(testDescription: "no key", says: "needs one private key") { try $0.root.serializeAsPEM().pemString },
        Bad(testDescription: "no certificate", says: "does not belong") { $0.rootKey.pemRepresentation },
        Bad(testDescription: "another key", says: "does not belong") { forge in
            try pem([forge.root], P256.Signing.PrivateKey())
        },
        Bad(testDescription: "encrypted", says: "openssl pkcs8") { forge in
            try pem([forge.root], forge.rootKey).replacing("PRIVATE KEY", with: "ENCRYPTED PRIVATE KEY")
        },
        Bad(testDescription: "a leaf", says: "may not sign") { forge in
            let key = P256.Signing.PrivateKey()
            var plan = Forge.Plan()
            plan.subject = try DistinguishedName { CommonName("x") }
            return try pem([forge.signed(plan, key: key)], key)
        },
        Bad(testDescription: "path too short", says: "may not sign") { forge in
            let key = P256.Signing.PrivateKey()
            return try pem([forge.signed(.intermediate("spiffe://prod"), key: key)], key)
        },
        Bad(testDescription: "another mesh", says: "another mesh") { _ in
            let other = try Forge("test")
            return try pem([other.root], other.rootKey)
        },
        Bad(testDescription: "ended", says: "holds from") { _ in
            // The forge itself would be refused, so its parts are used.
            let key = P256.Signing.PrivateKey()
            var plan = try Forge.Plan.intermediate("spiffe://prod")
            plan.constraints = .isCertificateAuthority(maxPathLength: nil)
            plan.notAfter = .seconds(-1)
            let root = try Forge.make(
                plan,
                key: key.publicKey,
                issuer: plan.subject,
                issuerKey: key,
                now: TestMesh.start
            )
            return try pem([root], key)
        },
        Bad(testDescription: "a curve that weft does not use", says: "P-256 or P-384") { forge in
            try [P521.Signing.PrivateKey().pemRepresentation, forge.root.serializeAsPEM().pemString]
                .joined(separator: "\n")
        },
        Bad(testDescription: "too long", says: "bytes of PEM") { _ in String(repeating: "x", count: 70_000) },
    ]

    @Test(arguments: bads)
    func otherTextIsRefused(_ bad: Bad) throws {
        let forge = try Forge()
        let error = try #require(throws: IdentityError.self) {
            try MeshAuthority.found(mesh("prod"), pem: bad.text(forge), now: forge.now)
        }
        #expect(error.description.contains(bad.says), "\(error)")
    }
}

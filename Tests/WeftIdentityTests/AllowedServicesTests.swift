import SwiftASN1
import Testing
import WeftCore
import WeftIdentity
import X509

/// What a host may speak for: where it mints, and where a peer checks.
@Suite struct AllowedServicesTests {
    static func list(_ texts: String...) throws -> AllowedServices {
        let entries = texts.compactMap { AllowedServices.Entry($0) }
        #expect(entries.count == texts.count)
        return try #require(AllowedServices(entries))
    }

    @Test(arguments: [
        ("api", "system", true), ("api", "user-1000", true), ("web", "system", true), ("web", "user-1000", false),
        ("db", "system", false), ("web-1", "system", false),
    ])
    func servicesWithinTheListOnly(_ service: String, _ tenant: String, _ isAllowed: Bool) throws {
        let list = try Self.list("api", "system/web")
        #expect(list.allows(try workload(service, tenant: tenant)) == isAllowed)

        var prod = try TestMesh()
        let restricted = try prod.join("web-1", allowed: list)
        #expect(restricted.allowed == list)
        let identity = try workload(service, tenant: tenant)
        if isAllowed {
            let leaf = try restricted.mint(identity, now: prod.now, using: &prod.rng)
            #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).identity == identity)
        } else {
            #expect(throws: IdentityError.notAllowed(identity)) {
                try restricted.mint(identity, now: prod.now, using: &prod.rng)
            }
        }
    }

    /// A host that does not keep to its list: it mints with the list taken out of its own copy.
    @Test func peersCheckWhatTheHostDoesNot() throws {
        let forge = try Forge()
        let list = try Self.list("web")
        var prod = TestMesh(authority: forge.authority)
        let restricted = try prod.join("web-1", allowed: list)
        let chain = try forge.chain(
            intermediate: { plan in
                let carried = restricted.intermediate
                plan.more = try [servicesExtension(of: carried)]
            }
        )
        #expect(throws: PeerRefusal.notAllowed(try workload("api"), by: try nodeName("web-1"))) {
            try forge.verifier.verify(chain, as: .client, now: forge.now)
        }
    }

    @Test func anEmptyListLeavesTheHostItself() throws {
        var prod = try TestMesh()
        let none = try #require(AllowedServices([]))
        let host = try prod.join("web-1", allowed: none)
        let leaf = try host.mint(host.identity, now: prod.now, using: &prod.rng)
        #expect(try prod.verifier.verify(leaf.presented, as: .server, now: prod.now).identity == host.identity)
        #expect(throws: IdentityError.self) { try prod.mint("web", on: host) }
    }

    @Test func aRenewalKeepsTheList() throws {
        var prod = try TestMesh()
        let list = try Self.list("web")
        let host = try prod.join("web-1", allowed: list)
        prod.advance(.days(15))
        let chain = try prod.authority.renew(host.renewalRequest(), now: prod.now, using: &prod.rng)
        #expect(try AllowedServices(carriedBy: chain[0]) == list)
    }

    @Test(arguments: ["", "a/b/c", "/a", "a/", "A", "a b"])
    func otherFormsAreNoEntries(_ text: String) { #expect(AllowedServices.Entry(text) == nil) }

    @Test func listsAreBounded() throws {
        let names = try (0...AllowedServices.entriesMax).map { try #require(AllowedServices.Entry("s\($0)")) }
        #expect(AllowedServices(names) == nil)
        let most = try #require(AllowedServices(names.dropFirst()))
        var prod = try TestMesh()
        let host = try prod.join("web-1", allowed: most)
        let leaf = try prod.mint("s1", on: host)
        #expect(try prod.verifier.verify(leaf.presented, as: .client, now: prod.now).identity.account == "s1")
    }
}

/// The list as one certificate carries it, for putting into another.
private func servicesExtension(of certificate: MeshCertificate) throws -> Certificate.Extension {
    let parsed = try Certificate(derEncoded: certificate.der)
    return try #require(parsed.extensions[oid: [1, 3, 6, 1, 4, 1, 32473, 15008, 1]])
}

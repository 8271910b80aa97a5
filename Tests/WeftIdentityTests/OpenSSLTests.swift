import Glibc
import Testing
import WeftCore
import WeftIdentity

/// The openssl program, which was not written by us, agrees with what we sign and with what we refuse.
@Suite struct OpenSSLTests {
    @Test(arguments: ["sslserver", "sslclient"])
    func acceptsOurChains(_ purpose: String) throws {
        var prod = try TestMesh(now: Self.now)
        let host = try prod.join("web-1", allowed: AllowedServicesTests.list("api"))
        let leaf = try prod.mint("api", on: host)
        let files = try PEMFiles(root: [prod.authority.root], chain: leaf.chain)
        #expect(try files.verify(purpose) == 0)
    }

    @Test func acceptsACrossingAfterARotation() throws {
        var prod = try TestMesh(now: Self.now)
        let old = prod.authority.root
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        try prod.authority.switchRoots(now: prod.now)
        let leaf = try prod.mint("api", on: prod.join("web-1"))
        let files = try PEMFiles(root: [old], chain: leaf.chain + prod.authority.bundle.crossings)
        #expect(try files.verify("sslserver") == 0)
    }

    @Test func refusesAnotherMesh() throws {
        var prod = try TestMesh(now: Self.now)
        let twin = try TestMesh(seed: 2, now: Self.now)
        let leaf = try prod.mint("api", on: prod.join("web-1"))
        let files = try PEMFiles(root: [twin.authority.root], chain: leaf.chain)
        #expect(try files.verify("sslserver") != 0)
    }

    @Test func readsTheExportedKey() throws {
        let prod = try TestMesh(now: Self.now)
        let files = try PEMFiles(root: [prod.authority.root], chain: [prod.authority.root])
        try files.write("key", prod.authority.exportPEM())
        #expect(try files.run(["pkey", "-in", files.path("key"), "-noout", "-check"]) == 0)
    }

    /// openssl has the system's clock, so these certificates are of today.
    static var now: WallTime { WallTime(millisecondsSince1970: Int64(time(nil)) * 1000) }
}

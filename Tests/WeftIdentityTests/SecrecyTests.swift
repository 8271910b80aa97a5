import Crypto
import NIOSSL
import Testing
import WeftCore
import WeftIdentity

/// Keys and secrets show nowhere but where they are meant to.
@Suite struct SecrecyTests {
    /// All that a value says of itself, and all that a mirror finds in it.
    static func everything(in value: Any) -> String {
        var text = "\(value) \(String(reflecting: value)) "
        dump(value, to: &text)
        return text
    }

    @Test func keysShowNothing() throws {
        var prod = try TestMesh()
        try prod.authority.prepareRotation(now: prod.now, using: &prod.rng)
        let key = NodeKey()
        let node = try prod.join("web-1")
        let leaf = try prod.mint("api", on: node)
        let values: [Any] = [key, node, leaf, prod.authority, prod.authority.rotation as Any]
        for value in values {
            let text = Self.everything(in: value)
            #expect(!text.contains("PrivateKey"), "\(type(of: value))")
            #expect(text.contains("<secret>"), "\(type(of: value))")
            #expect(!text.contains("PRIVATE KEY"))
        }
    }

    @Test func tokensShowNoSecret() throws {
        var prod = try TestMesh()
        let token = try JoinPinTests.token(&prod)
        let request = try JoinRequest(token: token, node: nodeName("web-1"), key: NodeKey(), now: prod.now)
        let secret = Array(request.encoded[20..<52])
        // The line decodes to the secret, so this is it.
        #expect(try JoinToken(line: token.line) == token)
        let listed = secret.map(String.init).joined(separator: ", ")
        let dumped = secret.prefix(4).map { "- \($0)" }
        for value in [token, request] as [Any] {
            let text = Self.everything(in: value)
            #expect(!text.contains(listed))
            #expect(!dumped.allSatisfy { text.contains($0) } || !text.contains("32 elements\n        - \(secret[0])"))
            #expect(!text.contains(token.line))
        }
        let grant = JoinGrant(
            mesh: prod.authority.mesh,
            chain: [],
            bundle: try prod.authority.signedBundle(),
            gossipKey: [UInt8](repeating: 0xab, count: 32)
        )
        let text = Self.everything(in: grant)
        #expect(!text.contains("171, 171"))
        // Certificates have bytes of their own, but not so many alike.
        #expect(text.split(separator: "\n").filter { $0.hasSuffix("- 171") }.count < 16)
    }

    /// NIOSSL shows its configuration to whoever has a context; a key of its own kind would be in it.
    @Test func contextsGiveAwayNoKey() throws {
        let hosts = try TLSTests.Hosts()
        let client = try #require(try hosts.client.clientContext(for: hosts.web))
        let server = try hosts.server.serverContext(forServerName: nil)
        for context in [client, server, try hosts.server.joinServerContext()] {
            guard case .privateKey(let key)? = context.configuration.privateKey else {
                Issue.record("a context without a key")
                continue
            }
            #expect(try key.derBytes == [])
            #expect(!Self.everything(in: context.configuration).contains("PRIVATE"))
        }
        #expect(!Self.everything(in: hosts.client).contains("PrivateKey("))
    }

    @Test func aStoredStateShowsNothing() throws {
        var prod = try TestMesh()
        let node = try prod.join("web-1")
        let state = IdentityState(key: NodeKey(), node: node, authority: prod.authority, extras: ["gossip": [1, 2, 3]])
        let text = Self.everything(in: state)
        #expect(!text.contains("PrivateKey"))
        #expect(!text.contains("gossip"))
    }
}

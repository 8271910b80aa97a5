import Testing
import WeftCore

@Suite("Server names")
struct ServerNameTests {
    static func mesh() throws -> MeshName { try #require(MeshName("prod")) }

    static func identity(_ service: String, _ tenant: String) throws -> SpiffeID {
        let (tenant, service) = (try #require(TenantName(tenant)), try #require(ServiceName(service)))
        return SpiffeID(mesh: try mesh(), tenant: tenant, service: service)
    }

    @Test(
        "What is a DNS label stays readable",
        arguments: [
            ("api", "system", "api.system.weft.invalid"), ("a-b", "user-1000", "a-b.user-1000.weft.invalid"),
            ("0", "0", "0.0.weft.invalid"), ("b32", "weft-name", "b32.weft-name.weft.invalid"),
        ]
    )
    func plain(_ service: String, _ tenant: String, _ text: String) throws {
        let identity = try Self.identity(service, tenant)
        #expect(ServerName(identity)?.text == text)
        #expect(ServerName(text)?.identity(in: try Self.mesh()) == identity)
    }

    @Test(
        "What is not is spelled in base32",
        arguments: [("a.b", "system"), ("a_b", "system"), ("a-", "t"), ("a", "t.u")]
    )
    func encoded(_ service: String, _ tenant: String) throws {
        let identity = try Self.identity(service, tenant)
        let name = try #require(ServerName(identity))
        #expect(name.text.hasSuffix(".b32.weft-name.invalid"))
        #expect(ServerName(name.text)?.identity(in: try Self.mesh()) == identity)
        #expect(ServerName(name.text.uppercased()) == name)
    }

    @Test("Every legal name fits DNS, and no two are the same")
    func totalAndInjective() throws {
        let alphabet = ["a", "0", "-", "_", "."]
        var seen: [String: SpiffeID] = [:]
        var texts = ["weft", "b32", "join", "weft-name", "system"]
        for first in ["a", "0"] {
            texts.append(first)
            for second in alphabet {
                texts.append(first + second)
                for third in alphabet { texts.append(first + second + third) }
            }
        }
        for length in [62, 63] {
            for letter in ["a", "_", "."] { texts.append("x" + String(repeating: letter, count: length - 1)) }
        }
        for (index, service) in texts.enumerated() {
            // Every text on both sides, and a spread of pairs.
            for tenant in [texts[index], texts[texts.count - 1 - index]] + texts.prefix(12) {
                try check(Self.identity(service, tenant), &seen)
            }
        }
        for text in ["A", "a", "Web.Example_1", "-", "...", String(repeating: "Z", count: 128)] {
            let node = try #require(NodeName(text))
            try check(SpiffeID(mesh: Self.mesh(), node: node), &seen)
        }
    }

    private func check(_ identity: SpiffeID, _ seen: inout [String: SpiffeID]) throws {
        let name = try #require(ServerName(identity), "\(identity)")
        #expect(name.text.utf8.count <= 253)
        #expect(
            name.text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            }
        )
        if let other = seen[name.text] { #expect(other == identity) }
        seen[name.text] = identity
        // "." and ".." are no path segments (SPIFFE-ID, section 2.2), so such a host has no identity to read back.
        if SpiffeID(identity.description) != nil {
            #expect(ServerName(name.text)?.identity(in: try Self.mesh()) == identity)
        }
    }

    @Test(
        "Other text is no name",
        arguments: [
            "", "api", "api.system", "api.system.example", "a.b.c.weft.invalid", ".system.weft.invalid",
            "a_b.system.weft.invalid", "api.system.weft.invalid.", "mfyge.b32.weft-name.invalid",
            ".b32.weft-name.invalid",
            "onuxg5dfnuxwc4dj.b32.weft-name.invalid", String(repeating: "a", count: 300),
        ]
    )
    func refused(_ text: String) { #expect(ServerName(text) == nil) }

    @Test("The name for joining belongs to nobody")
    func join() throws {
        #expect(ServerName(ServerName.join.text) == .join)
        #expect(ServerName.join.identity(in: try Self.mesh()) == nil)
    }
}

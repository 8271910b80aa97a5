import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// What `[service.NAME]` says about who gets a request and what is spoken.
    @Suite struct SettingsTests {
        @Test func requestsOfOneUserGoToOneEndpoint() async throws {
            let settings = "[service.web]\nhash = \"header X-User\"\n"
            try await withIdentities(4, configuration: ["h1": settings]) { hosts in
                let (client, servers) = (hosts[0], hosts.dropFirst())
                for server in servers { try await server.serveWeb() }
                let all = Set(servers.map { "\($0.name) 8080" })
                let address = try await client.virtualAddress(of: "web", endpoints: all)
                var places: [String: Set<String>] = [:]
                for _ in 0..<3 {
                    for user in (0..<6).map({ "user-\($0)" }) {
                        let answer = try await client.once("\(address) 8080 / GET X-User:\(user)")
                        #expect(answer.status == 200, "\(answer)")
                        places[user, default: []].insert(answer.body)
                    }
                }
                #expect(places.values.allSatisfy { $0.count == 1 }, "\(places)")
                #expect(Set(places.values.flatMap { $0 }).count > 1, "\(places)")
                // Whoever names no user is anybody's.
                let rest = try await client.load("\(address) 8080 300 4")
                #expect(rest.statuses == ["200": 300] && rest.servers.count == 3, "\(rest)")
            }
        }

        @Test func theNearEndpointIsPreferredWhileItIsThere() async throws {
            let settings = "[service.web]\nnear = true\n"
            try await withIdentities(3, configuration: ["h1": settings]) { hosts in
                let client = hosts[0]
                for host in hosts { try await host.serveWeb() }
                let all = Set(hosts.map { "\($0.name) 8080" })
                let address = try await client.virtualAddress(of: "web", endpoints: all)
                let near = try await client.load("\(address) 8080 1000 2")
                #expect(near.statuses == ["200": 1000] && near.share(of: client.name) > 0.9, "\(near)")
                // Another host has said nothing of the kind.
                let other = try await hosts[1].virtualAddress(of: "web", endpoints: all)
                let even = try await hosts[1].load("\(other) 8080 1000 2")
                #expect(even.statuses == ["200": 1000] && even.servers.count == 3, "\(even)")
                try await client.stop("web.service")
                try await waitUntil("the near one is gone") {
                    try await client.endpoints(of: "web") == ["h2 8080", "h3 8080"]
                }
                let far = try await client.load("\(address) 8080 300 2")
                #expect(far.statuses == ["200": 300] && far.servers[client.name] == nil, "\(far)")
            }
        }

        @Test func whatAServiceIsDeclaredToSpeakHoldsOnEveryHost() async throws {
            let settings = "[service.web]\nprotocol = \"tcp\"\n"
            try await withIdentities(configuration: ["h2": settings]) { hosts in
                let (client, server) = (hosts[0], hosts[1])
                try await server.serveWeb()
                _ = try await client.virtualAddress(of: "web", endpoints: ["h2 8080"])
                try await client.waitForTunnel(toWebOn: server)
                #expect(try await client.services().first { $0.name == "web" }?.protocol == "tcp")
                let answer = try await client.once("\(server.address4) 8080 /")
                #expect(answer.status == 200 && answer.headers["server"]?.hasPrefix("BaseHTTP") == true, "\(answer)")
                for (host, perspective) in [(client, "caller"), (server, "callee")] {
                    let count = try await host.requestCount(to: "web", perspective: perspective)
                    #expect(count == 0, "it is no HTTP to weft on \(host.name)")
                }
                let row = try await client.decision(of: "client.service")
                #expect(row.protocol == "opaque" && row.security == .mtls, "\(row)")
            }
        }
    }
}

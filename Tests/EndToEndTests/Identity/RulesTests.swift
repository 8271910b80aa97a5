import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Who may: lists, isolated tenants, strict hosts, revoked nodes; and who is told.
    @Suite struct RulesTests {
        @Test func aListLetsInWhoIsOnItAndTellsTheOthersWhichRuleItWas() async throws {
            try await withIdentities(configuration: ["h2": "[service.echo]\nallow = [\"web\"]\n"]) { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].waitForTunnel(to: hosts[1], as: "web.service")
                let other = try await hosts[0].ending(of: "echo \(hosts[1].address4) 9000 hello", as: "other.service")
                #expect(other == "ConnectionResetError")
                let decision = try await hosts[0].decision(of: "other.service")
                #expect(
                    decision.rule?.contains("allow") == true && decision.rule?.contains("h2") == true,
                    "\(decision)"
                )
                #expect(decision.identity.source?.hasSuffix("/ns/system/sa/other") == true, "\(decision)")
                let refused = try await hosts[1].decision("h2 has decided") { $0.rule != nil }
                #expect(refused.path == "inbound" && refused.security == .mtls && refused.bytesOut == 0, "\(refused)")
                #expect(refused.identity == decision.identity)

                // The same rules for calls that stay on the host.
                let local = try await hosts[1].client("echo \(hosts[1].address4) 9000 hello", as: "web.service")
                #expect(local.answer == "hello")
                #expect(try await hosts[1].decision(of: "web.service").security == .local)
                let neighbour = try await hosts[1].ending(
                    of: "echo \(hosts[1].address4) 9000 hello",
                    as: "other.service"
                )
                #expect(neighbour == "ConnectionResetError")
                #expect(try await hosts[1].decision(of: "other.service").rule?.contains("allow") == true)

                try await hosts[0].start(.init("idler.service", "/usr/bin/sleep infinity"))
                let ping = try await waitFor("idler is known") { try? await hosts[0].ping("idler", "echo") }
                #expect(ping.steps.last?.layer == .policy && ping.steps.last?.isGood == false, "\(ping)")
            }
        }

        @Test func liveConnectionsEndWhenTheListChanges() async throws {
            try await withIdentities(configuration: ["h2": "[service.echo]\nallow = [\"watch\", \"first\"]\n"]) {
                hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].waitForTunnel(to: hosts[1])
                let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
                let begun = ContinuousClock.now
                try await hosts[1].write("[service.echo]\nallow = [\"first\"]\n", to: "/etc/weft/weft.toml")
                try await hosts[1].run("systemctl", "reload", "weftd.service")
                #expect(try await watch.report().result == "reset")
                print("measured: a rule that changes ends a live connection in \(ContinuousClock.now - begun)")
                let decision = try await hosts[1].decision("h2 has ended it") { $0.rule?.contains("allow") == true }
                #expect(decision.bytesOut > 0)
                let first = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello", as: "first.service")
                #expect(first.answer == "hello", "others go on")
            }
        }

        @Test func anIsolatedTenantIsReachedByItsOwnOnly() async throws {
            try await withIdentities(configuration: ["h2": "[tenant.shop]\nisolate = true\n"]) { hosts in
                try await hosts[1].serveTraffic(slice: "shop.slice")
                try await waitUntil("echo is known") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000"]
                }
                let dial = "echo \(hosts[1].address4) 9000 hello"
                let insider = try await hosts[0].client(dial, as: "insider.service", slice: "shop.slice")
                #expect(insider.answer == "hello")
                let row = try await hosts[0].decision(of: "insider.service")
                #expect(
                    row.security == .mtls && row.identity.source?.hasSuffix("/ns/shop/sa/insider") == true,
                    "\(row)"
                )
                #expect(try await hosts[0].ending(of: dial, as: "outsider.service") == "ConnectionResetError")
                let rule = try await hosts[0].decision(of: "outsider.service").rule
                #expect(rule?.contains("isolate") == true && rule?.contains("shop") == true, "\(rule ?? "no rule")")
            }
        }

        @Test func aStrictHostRefusesWhoShowsNoIdentityAndAPermissiveOneCountsIt() async throws {
            try await withIdentities(3, members: 2, configuration: ["h2": "[security]\nstrict = true\n"]) { hosts in
                for host in hosts[..<2] { try await host.serveTraffic() }
                try await hosts[0].waitForTunnel(to: hosts[1])
                try await waitUntil("echo is seen") { try await hosts[0].services().contains { $0.name == "echo" } }
                let strict = try await hosts[2].ending(of: "echo \(hosts[1].address4) 9000 hello")
                #expect(["ConnectionResetError", "ConnectionRefusedError"].contains(strict), "\(strict)")
                let refused = try await hosts[1].decision("refused by h2") { $0.rule == "strict" }
                #expect(refused.security == .plaintext && refused.source.address.hasPrefix(hosts[2].address4))

                let open = try await hosts[2].client("echo \(hosts[0].address4) 9000 hello")
                #expect(open.answer == "hello")
                let marked = try await hosts[0].decision("accepted by h1") {
                    $0.path == "inbound" && $0.source.address.hasPrefix(hosts[2].address4)
                }
                #expect(marked.security == .plaintext && marked.identity.source == nil, "\(marked)")
            }
        }

        @Test func aRevokedNodeIsOutAtOnce() async throws {
            try await withIdentities(3) { hosts in
                for host in hosts { try await host.serveTraffic() }
                for (from, to) in [(1, 0), (2, 1), (0, 2)] { try await hosts[from].waitForTunnel(to: hosts[to]) }
                let outward = try await hosts[1].startClient("watch \(hosts[0].address4) 9000", as: "outward.service")
                let inward = try await hosts[2].startClient("watch \(hosts[1].address4) 9000", as: "inward.service")
                let bystander = try await hosts[0].startClient("watch \(hosts[2].address4) 9000", as: "beside.service")
                let begun = ContinuousClock.now
                try await hosts[0].run("weft", "revoke", "h2")
                #expect(try await outward.report().result == "reset")
                #expect(try await inward.report().result == "reset", "it has spread")
                print("measured: a revoked node's tunnels are gone everywhere in \(ContinuousClock.now - begun)")
                let dial = "echo \(hosts[0].address4) 9000 hello"
                let back = try await hosts[1].ending(of: dial, as: "back.service")
                #expect(["ConnectionResetError", "ConnectionRefusedError"].contains(back), "\(back)")
                #expect(try await hosts[0].tunnelFailures()["revoked", default: 0] > 0)
                #expect(try await hosts[0].authority().revoked == ["h2"])
                #expect(try await bystander.end().result == "removed", "others go on")
            }
        }
    }
}

import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Envoy as a client of a mesh's host. As a server it is in WeftTransportTests, with the pool that dials it.
    @Suite struct EnvoyTests {
        @Test func envoyReachesAServiceAndIsNamed() async throws {
            try await Outsider.with { outsider in
                let (host, member) = (outsider.host, outsider.member)
                try await outsider.startEnvoy(port: 15101, authority: "\(member.address4):9000")
                #expect(try await host.client("echo 127.0.0.1 15101 hello").answer == "hello")
                #expect(try await host.client("half-close 127.0.0.1 15101 3000000").answer == "got 3000000")
                for way in ["download", "upload"] {
                    #expect(try await host.client("\(way) 127.0.0.1 15101 \(64 << 20)").same == true)
                }
                let watch = try await host.startClient("watch 127.0.0.1 15101", as: "watch.service")
                let row = try await waitFor("h1 knows who it is") {
                    try await member.connections().first { $0.path == "inbound" }
                }
                #expect(row.security == .mtls && row.service == "echo", "\(row)")
                #expect(row.identity.source == outsider.identity("outsider"))
                #expect(row.identity.destination == "spiffe://\(outsider.mesh)/ns/system/sa/echo")
                #expect(try await watch.end().result == "removed")
                #expect(try await member.tunnelFailures().values.allSatisfy { $0 == 0 })
            }
        }

        @Test func rulesHoldForEnvoyToo() async throws {
            try await Outsider.with(configuration: "[service.echo]\nallow = [\"web\"]\n") { outsider in
                let (host, member) = (outsider.host, outsider.member)
                try await outsider.startEnvoy(port: 15101, authority: "\(member.address4):9000")
                #expect(try await host.ending(of: "echo 127.0.0.1 15101 hello") == "ConnectionResetError")
                let decision = try await member.decision("denied by h1") { $0.rule?.contains("allow") == true }
                #expect(decision.identity.source == outsider.identity("outsider"))
                // A port of nobody: refused, and not by a rule.
                try await outsider.startEnvoy(port: 15102, authority: "\(member.address4):9999")
                #expect(try await host.ending(of: "echo 127.0.0.1 15102 hello") == "ConnectionResetError")
                // Somebody of another mesh gets no further than the handshake.
                try await outsider.startEnvoy(port: 15103, authority: "\(member.address4):9000", as: "foreign")
                #expect(try await host.ending(of: "echo 127.0.0.1 15103 hello") == "ConnectionResetError")
                #expect(try await member.tunnelFailures()["wrong-trust-domain", default: 0] > 0)
            }
        }

        /// GOAWAY at once; what is under way may finish; then the deadline, and a good end.
        @Test func aStopLetsEnvoysTunnelsFinish() async throws {
            try await Outsider.with(configuration: "[proxy]\ndrain-timeout = \"20s\"\n") { outsider in
                let (host, member) = (outsider.host, outsider.member)
                try await outsider.startEnvoy(port: 15101, authority: "\(member.address4):9000")
                let watch = try await host.startClient("watch 127.0.0.1 15101", as: "watch.service")
                async let slow = host.client("slow 127.0.0.1 15101", as: "slow.service")
                try await waitUntil("both are under way") { try await member.connections().count == 2 }
                try await member.stop("weftd.service")
                #expect(try await slow.lines == 30, "three seconds are within the deadline")
                #expect(try await ["reset", "ended"].contains(watch.report().result))
                #expect(try await member.property("Result", of: "weftd.service") == "success")
                #expect(try await member.property("ExecMainStatus", of: "weftd.service") == "0")
            }
        }
    }
}

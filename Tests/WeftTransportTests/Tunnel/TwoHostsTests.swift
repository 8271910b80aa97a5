import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// The whole way of a connection through two data planes.
@Suite(.blocking) struct TwoHostsTests {
    @Test("A call goes by tunnel, and both hosts know both identities")
    func tunnelled() async throws {
        try await TwoHosts.run { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            let server = try hosts.application.accept()
            try client.write(Array("hello".utf8))
            #expect(server.read() == .bytes(Array("hello".utf8)))
            try server.write(Array("goodbye".utf8))
            #expect(client.read() == .bytes(Array("goodbye".utf8)))
            for plane in [hosts.caller, hosts.callee] {
                let live = try #require(try await plane.connections().first)
                #expect(live.security == .mtls)
                #expect(live.identity == IdentityPair(source: TwoHosts.web, destination: TwoHosts.api))
                #expect(live.service == ServiceName("api"))
            }
            client.endOutput()
            #expect(server.read() == .end)
            server.endOutput()
            #expect(client.read() == .end)
            let decision = try #require(try await TwoHosts.decisions(hosts.caller).first)
            #expect(decision.outcome.ending == .completed)
            #expect(decision.path == .peer)
            let inbound = try #require(try await TwoHosts.decisions(hosts.callee).first)
            #expect(inbound.path == .inbound)
            #expect(inbound.bytesOut == 5)
            #expect(inbound.bytesIn == 7)
            #expect(hosts.log.leaves == [TwoHosts.web].compactMap { $0 })
            #expect(hosts.log.reached == [NodeName("b")].compactMap { $0 })
        }
    }

    @Test("A second call needs no second handshake and no second certificate")
    func warm() async throws {
        try await TwoHosts.run { hosts in
            for _ in 0..<8 {
                let client = try TestSocket.connected(to: hosts.entry)
                let server = try hosts.application.accept()
                try client.write([1])
                #expect(server.read() == .bytes([1]))
                client.endOutput()
                #expect(server.read() == .end)
                server.endOutput()
                #expect(client.read() == .end)
            }
            _ = try await TwoHosts.decisions(hosts.caller, 8)
            let report = try await hosts.caller.tunnelReport()
            #expect(report.outbound.opens == 8)
            // One for each loop that was used.
            #expect((1...2).contains(report.outbound.handshakes))
        }
    }

    @Test("A host that no tunnel can reach is sent to as dialled")
    func asDialled() async throws {
        try await TwoHosts.run(isListening: false) { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            let server = try hosts.application.accept()
            try client.write([1])
            #expect(server.read() == .bytes([1]))
            let live = try #require(try await hosts.caller.connections().first)
            #expect(live.security == .plaintext)
            #expect(hosts.log.unreached == [NodeName("b")].compactMap { $0 })
        }
    }

    @Test("A host that was reached before is never sent to in clear")
    func onlyRises() async throws {
        try await TwoHosts.run(reach: .reached, isListening: false) { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            #expect(client.read() == .reset)
            let decision = try #require(try await TwoHosts.decisions(hosts.caller).first)
            #expect(decision.outcome == Outcome(.tunnelFailed, side: .destination))
            #expect(decision.detail?.contains("refused") == true)
            #expect(try await hosts.callee.connections().isEmpty)
        }
    }

    @Test("A strict host sends nothing in clear")
    func strict() async throws {
        var rules = AccessRules()
        rules.isStrict = true
        try await TwoHosts.run(reach: .closed, isListening: false, callerRules: rules) { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            #expect(client.read() == .reset)
            let decision = try #require(try await TwoHosts.decisions(hosts.caller).first)
            #expect(decision.outcome.ending == .tunnelFailed)
        }
    }

    @Test("The caller's side says which rule on which host denied it")
    func denied() async throws {
        var rules = AccessRules()
        rules.allow = [try #require(ServiceName("api")): [AllowedCaller(namespace: nil, name: "billing")]]
        try await TwoHosts.run(rules: rules) { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            #expect(client.read() == .reset)
            let decision = try #require(try await TwoHosts.decisions(hosts.caller).first)
            #expect(decision.outcome == Outcome(.denied, side: .destination))
            #expect(decision.rule == "allow of service api on b")
            let refused = try #require(try await TwoHosts.decisions(hosts.callee).first)
            #expect(refused.outcome == Outcome(.denied, side: .weft))
            #expect(refused.rule == "allow of service api")
            #expect(refused.identity.source == TwoHosts.web)
        }
    }

    @Test("Live calls end when the rules change, and when their host is revoked", arguments: [true, false])
    func judgedAgain(isRevoked: Bool) async throws {
        try await TwoHosts.run { hosts in
            let client = try TestSocket.connected(to: hosts.entry)
            let server = try hosts.application.accept()
            try client.write([1])
            #expect(server.read() == .bytes([1]))
            if isRevoked {
                try hosts.mesh.revoke("a")
                hosts.callee.publish(try hosts.mesh.snapshot(of: "b", workloads: ["api"]))
            } else {
                var rules = AccessRules()
                rules.allow = [try #require(ServiceName("api")): []]
                hosts.callee.publish(rules, renames: [:])
            }
            #expect(client.read() == .reset)
            #expect(server.read() == .reset)
            let decision = try #require(try await TwoHosts.decisions(hosts.callee).first)
            #expect(isRevoked ? decision.detail?.contains("revoked") == true : decision.rule == "allow of service api")
        }
    }

    @Test("A service that is not there is refused, not exposed")
    func unexposed() async throws {
        try await TwoHosts.run { hosts in
            hosts.callee.publish(.init(ownAddresses: [.loopbackV4]))
            let client = try TestSocket.connected(to: hosts.entry)
            #expect(client.read() == .reset)
            let decision = try #require(try await TwoHosts.decisions(hosts.caller).first)
            #expect(decision.outcome.ending == .tunnelFailed)
            #expect(decision.detail?.contains("no service answers there") == true)
        }
    }
}

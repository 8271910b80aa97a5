import NIOCore
import NIOEmbedded
import NIOSSL
import Testing
import WeftCore
import WeftIdentity

/// Handshakes between two ends in memory, with everything that tunnels use.
@Suite struct TLSTests {
    /// Two hosts of one mesh with one service each.
    struct Hosts {
        var prod: TestMesh
        var client: IdentitySnapshot
        var server: IdentitySnapshot
        let web: SpiffeID
        let api: SpiffeID

        init() throws {
            prod = try TestMesh()
            web = try workload("web")
            api = try workload("api")
            client = try Self.snapshot("client-1", ["web"], &prod)
            server = try Self.snapshot("server-1", ["api", "db"], &prod)
        }

        static func snapshot(_ name: String, _ services: [String], _ prod: inout TestMesh) throws -> IdentitySnapshot {
            let node = try prod.join(name)
            let contexts = TLSContexts()
            let host = try node.mint(node.identity, now: prod.now, using: &prod.rng)
            let leaves = try services.map { try prod.mint($0, on: node) }
            return try contexts.snapshot(host: host, workloads: leaves, bundle: prod.authority.bundle)
        }

        func serverName(_ identity: SpiffeID) -> String? { ServerName(identity)?.text }
    }

    @Test func bothEndsLearnWhoTheOtherIs() throws {
        let hosts = try Hosts()
        let name = hosts.serverName(hosts.api)
        let run = try Handshake(
            client: try #require(try hosts.client.clientContext(for: hosts.web)),
            server: hosts.server.serverContext(forServerName: name),
            serverName: name,
            expecting: [hosts.api],
            verifiers: (hosts.client.verifier, hosts.server.verifier),
            now: hosts.prod.now
        )
        #expect(try run.atClient?.get().identity == hosts.api)
        #expect(try run.atClient?.get().node?.text == "server-1")
        #expect(try run.atServer?.get().identity == hosts.web)
        #expect(try run.atServer?.get().node?.text == "client-1")
        #expect(run.protocols == ["h2", "h2"])
        #expect(run.versions == [.tlsv13, .tlsv13])
        #expect(try run.echo("hello") == "hello")
    }

    @Test func theNameChoosesTheCertificate() throws {
        let hosts = try Hosts()
        #expect(hosts.server.identity(forServerName: hosts.serverName(hosts.api)) == hosts.api)
        #expect(hosts.server.identity(forServerName: hosts.serverName(hosts.api)?.uppercased()) == hosts.api)
        for name in [nil, "", "nobody.system.weft.invalid", "example.org", ServerName.join.text] {
            #expect(hosts.server.identity(forServerName: name) == hosts.server.host)
        }
        #expect(hosts.server.holds(hosts.api))
        #expect(!hosts.server.holds(hosts.web))
        #expect(try hosts.server.clientContext(for: hosts.web) == nil)
        #expect(hosts.server.certificates.map(\.identity.account) == ["api", "db", "server-1"])
    }

    @Test func aServiceThatIsNotThereIsNoticedByTheClient() throws {
        let hosts = try Hosts()
        let gone = try workload("gone")
        let run = try Handshake(
            client: try #require(try hosts.client.clientContext(for: hosts.web)),
            server: hosts.server.serverContext(forServerName: hosts.serverName(gone)),
            serverName: hosts.serverName(gone),
            expecting: [gone],
            verifiers: (hosts.client.verifier, hosts.server.verifier),
            now: hosts.prod.now
        )
        #expect(run.atClient == .failure(.unexpected(hosts.server.host)))
        #expect(run.protocols == [])
    }

    @Test func anotherMeshIsRefusedByBoth() throws {
        let hosts = try Hosts()
        var twin = try TestMesh(seed: 2)
        let stranger = try Hosts.snapshot("client-1", ["web"], &twin)
        let fromStranger = try Handshake(
            client: try #require(try stranger.clientContext(for: hosts.web)),
            server: hosts.server.serverContext(forServerName: nil),
            serverName: nil,
            expecting: nil,
            verifiers: (hosts.client.verifier, hosts.server.verifier),
            now: hosts.prod.now
        )
        #expect(fromStranger.atServer == .failure(.unknownAuthority))
        let toStranger = try Handshake(
            client: try #require(try hosts.client.clientContext(for: hosts.web)),
            server: stranger.serverContext(forServerName: nil),
            serverName: nil,
            expecting: nil,
            verifiers: (hosts.client.verifier, stranger.verifier),
            now: hosts.prod.now
        )
        #expect(toStranger.atClient == .failure(.unknownAuthority))
    }

    /// A client without a certificate never gets as far as the verifier: TLS itself demands one.
    @Test func aClientWithoutACertificateIsRefused() throws {
        let hosts = try Hosts()
        let run = try Handshake(
            client: JoinPin.clientContext(),
            server: hosts.server.serverContext(forServerName: nil),
            serverName: nil,
            expecting: nil,
            verifiers: (hosts.client.verifier, hosts.server.verifier),
            now: hosts.prod.now
        )
        #expect(run.atServer == nil)
        #expect(run.errors.count >= 1)
    }

    /// A handler without the callback has no roots to trust.
    @Test func aForgottenCallbackTrustsNobody() throws {
        let hosts = try Hosts()
        let run = try Handshake(
            client: try #require(try hosts.client.clientContext(for: hosts.web)),
            server: hosts.server.serverContext(forServerName: nil),
            serverName: nil,
            expecting: nil,
            verifiers: nil,
            now: hosts.prod.now
        )
        #expect(run.protocols == [])
        #expect(run.errors.count >= 1)
    }

    @Test func olderTLSIsRefused() throws {
        let hosts = try Hosts()
        var old = TLSConfiguration.makeClientConfiguration()
        old.maximumTLSVersion = .tlsv12
        old.certificateVerification = .none
        let run = try Handshake(
            client: NIOSSLContext(configuration: old),
            server: hosts.server.serverContext(forServerName: nil),
            serverName: nil,
            expecting: nil,
            verifiers: (hosts.client.verifier, hosts.server.verifier),
            now: hosts.prod.now
        )
        #expect(run.protocols == [])
    }

    @Test func aJoiningHostSeesThePinnedRoot() throws {
        var hosts = try Hosts()
        let pin = JoinPin(try JoinPinTests.token(&hosts.prod))
        let run = try Handshake(
            client: JoinPin.clientContext(),
            server: hosts.server.joinServerContext(),
            serverName: ServerName.join.text,
            pin: pin,
            now: hosts.prod.now
        )
        #expect(try run.pinned?.get() == hosts.prod.authority.root)
        #expect(try run.echo("secret") == "secret")

        var twin = try TestMesh(seed: 2)
        let other = JoinPin(try JoinPinTests.token(&twin))
        let refused = try Handshake(
            client: JoinPin.clientContext(),
            server: hosts.server.joinServerContext(),
            serverName: nil,
            pin: other,
            now: hosts.prod.now
        )
        #expect(refused.pinned == .failure(.unknownAuthority))
        #expect(refused.protocols == [])
    }

    @Test func contextsAreThereForWhatASnapshotHolds() throws {
        var prod = try TestMesh()
        let node = try prod.join("web-1")
        let host = try node.mint(node.identity, now: prod.now, using: &prod.rng)
        let (api, web) = (try prod.mint("api", on: node), try prod.mint("web", on: node))
        let bundle = prod.authority.bundle
        let both = try TLSContexts().snapshot(host: host, workloads: [api, web], bundle: bundle)
        #expect(try both.clientContext(for: api.identity) != nil && both.holds(api.identity))
        let one = try TLSContexts().snapshot(host: host, workloads: [web], bundle: bundle)
        #expect(try one.clientContext(for: api.identity) == nil && !one.holds(api.identity))
    }
}

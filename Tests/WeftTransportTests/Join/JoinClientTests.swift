import NIOCore
import NIOSSL
import Testing
import WeftCore
import WeftIdentity

@testable import WeftTransport

/// Asking another host: whom the client trusts, and what it makes of everything that can go wrong.
@Suite(.blocking, .timeLimit(.minutes(1))) struct JoinClientTests {
    @Test func aTokensHolderGetsAnAnswerAndTheRoot() async throws {
        try await JoinRig.with { rig in
            let request = Array("weft join 1\nplease".utf8)
            let reply = try await rig.client().ask(request, at: rig.address, trust: .pin(rig.mesh.pin))
            #expect(reply.bytes == request)
            #expect(reply.root == rig.mesh.authority.root)
            #expect(reply.peer.identity == rig.mesh.host)
            #expect(reply.chain.first?.identity == rig.mesh.host)
            #expect(reply.chain.contains(rig.mesh.authority.root))
            #expect(rig.log.all.map(\.bytes) == [request])
            #expect(rig.log.all.first?.from.ip == .loopbackV4)
            let counters = try await rig.waitForCounters { $0.answers == 1 }
            #expect(counters.failures == [:])
        }
    }

    @Test func aMemberOfTheMeshNeedsNoPin() async throws {
        try await JoinRig.with { rig in
            let reply = try await rig.client().ask([5], at: rig.address, trust: .verifier(rig.mesh.verifier))
            #expect(reply.bytes == [5])
            #expect(reply.root == nil)
            #expect(reply.peer.node?.text == "db-1")
        }
    }

    /// The secret stays here: a server that is not of the mesh never sees a request.
    @Test func nobodyElseIsAsked() async throws {
        try await JoinRig.with { rig in
            let twin = try JoinTestMesh()
            let refusal = JoinClientError.peerRefused(rig.address, .unknownAuthority)
            #expect(await rig.failure(trust: .pin(twin.pin)) == refusal)
            #expect(await rig.failure(trust: .verifier(twin.verifier)) == refusal)
            #expect(rig.log.all.isEmpty)
        }
    }

    @Test func endedCertificatesAndClocksThatAreOffAreToldApart() async throws {
        try await JoinRig.with { rig in
            for trust in [JoinTrust.pin(rig.mesh.pin), .verifier(rig.mesh.verifier)] {
                let late = await rig.failure(trust: trust, ahead: .seconds(40 * 86_400))
                guard case .peerRefused(_, .expired(.leaf, _, _)) = late else {
                    Issue.record("\(String(describing: late))")
                    continue
                }
                let early = await rig.failure(trust: trust, ahead: .seconds(-7200))
                guard case .peerRefused(_, .notYetValid(_, _, let ahead)) = early else {
                    Issue.record("\(String(describing: early))")
                    continue
                }
                #expect(ahead > .seconds(3000))
            }
            #expect(rig.log.all.isEmpty)
        }
    }

    /// A good certificate of the mesh, of a service and behind the tunnel's handshake.
    @Test func aServiceOfTheMeshIsNoHost() async throws {
        try await JoinRig.with { rig in
            let context = try rig.mesh.snapshot.serverContext(forServerName: ServerName(rig.mesh.api)?.text)
            try await FalseJoinServer.with(context, answering: [], then: .stall, on: rig) { address in
                #expect(
                    await rig.failure(trust: .verifier(rig.mesh.verifier), at: address)
                        == .peerRefused(address, .unexpected(rig.mesh.api))
                )
            }
        }
    }

    @Test func aHostThatDoesNotSpeakTheProtocolIsNamed() async throws {
        try await JoinRig.with { rig in
            let context = try rig.mesh.snapshot.serverContext(forServerName: nil)
            try await FalseJoinServer.with(context, answering: [], then: .stall, on: rig) { address in
                #expect(
                    await rig.failure(trust: .verifier(rig.mesh.verifier), at: address) == .notJoinService(address)
                )
            }
        }
    }

    @Test func nothingListens() async throws {
        try await JoinRig.with { rig in
            let nowhere = NetworkAddress(.loopbackV4, port: 1)
            #expect(await rig.failure(at: nowhere) == .unreachable(nowhere, .refused))
        }
    }

    @Test func somethingElseListens() async throws {
        try await JoinRig.with { rig in
            let text = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
            try await FalseJoinServer.with(nil, answering: text, then: .close, on: rig) { address in
                let failure = await rig.failure(at: address)
                guard case .tlsFailed(address, _)? = failure else {
                    Issue.record("\(String(describing: failure))")
                    return
                }
            }
            try await FalseJoinServer.with(nil, answering: [], then: .close, on: rig) { address in
                #expect(await rig.failure(at: address) == .tlsFailed(address, reason: "closed"))
            }
        }
    }

    @Test func aServerThatSaysNothingIsGivenUp() async throws {
        try await JoinRig.with { rig in
            let (silent, address) = try TestSocket.listener()
            #expect(await rig.failure(at: address, timeout: .seconds(2)) == .timedOut(address, .handshake))
            withExtendedLifetime(silent) {}
            let context = try rig.mesh.snapshot.joinServerContext()
            try await FalseJoinServer.with(context, answering: [0, 0], then: .stall, on: rig) { address in
                #expect(await rig.failure(at: address, timeout: .seconds(2)) == .timedOut(address, .answer))
            }
        }
    }

    @Test func badAnswersAreNone() async throws {
        try await JoinRig.with { rig in
            let cases: [([UInt8], (NetworkAddress) -> JoinClientError)] = [
                ([], { .noAnswer($0) }),
                ([0, 0, 0, 100, 1, 2, 3], { .noAnswer($0) }),
                ([0, 0, 0, 0], { .malformedAnswer($0) }),
                ([0, 0, 0, 1, 1, 2], { .malformedAnswer($0) }),
                ([0, 0x90, 0, 0], { .answerTooLong($0, 9 << 20) }),
                (Array("HTTP/1.1 200 OK".utf8), { .answerTooLong($0, 0x4854_5450) }),
            ]
            for (bytes, expected) in cases {
                let context = try rig.mesh.snapshot.joinServerContext()
                try await FalseJoinServer.with(context, answering: bytes, then: .close, on: rig) { address in
                    #expect(await rig.failure(at: address) == expected(address))
                }
            }
        }
    }

    @Test func longMessagesPassOnlyAsGrants() async throws {
        try await JoinRig.with { rig in
            let count = JoinFrame.requestBytesMax
            #expect(await rig.failure([UInt8](repeating: 1, count: count + 1)) == .requestTooLong(count + 1))
            #expect(await rig.failure([UInt8](repeating: 1, count: count)) == nil)
            let grant = JoinFrame.grantLine + [UInt8](repeating: 1, count: JoinFrame.grantBytesMax - 13)
            let reply = try await rig.client().ask(grant, at: rig.address, trust: .pin(rig.mesh.pin))
            #expect(reply.bytes == grant)
            #expect(await rig.failure(grant + [1]) == .requestTooLong(grant.count + 1))
        }
    }

    @Test func everyFailureSaysWhere() {
        let address = NetworkAddress(.loopbackV4, port: 15008)
        let failures: [JoinClientError] = [
            .unreachable(address, .refused), .unreachable(address, .connectTimeout),
            .unreachable(address, .unreachable), .timedOut(address, .handshake), .tlsFailed(address, reason: "closed"),
            .tlsFailed(address, reason: "failed"), .notJoinService(address), .peerRefused(address, .noCertificate),
            .noAnswer(address), .malformedAnswer(address), .answerTooLong(address, 1),
        ]
        for failure in failures {
            #expect("\(failure)".contains("127.0.0.1:15008"))
            #expect(failure.isWorthAnotherAddress)
        }
        #expect(!JoinClientError.requestTooLong(1).isWorthAnotherAddress)
    }
}

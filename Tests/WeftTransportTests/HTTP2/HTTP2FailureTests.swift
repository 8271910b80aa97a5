import NIOCore
import NIOHPACK
import NIOHTTP2
import Synchronization
import Testing
import WeftCore
import WeftProxy
import WeftTransport

/// What goes wrong on a stream or on a connection, and what the other side, and the record, see of it.
@Suite(.blocking, .serialized) struct HTTP2FailureTests {
    // MARK: Resets

    @Test(arguments: [HTTP2ErrorCode.cancel, .internalError, .enhanceYourCalm])
    func aClientsResetIsTheServers(_ code: HTTP2ErrorCode) async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.post("/"))
            let served = try await rig.call().call
            try await call.reset(code)
            #expect(try await served.resetCode() == code)
            let decision = try #require(try await rig.requests().first)
            #expect(decision.request?.flag == "client-gone" && decision.outcome.side == .client)
            // The connection goes on.
            let next = try await client.open(.get("/"), end: true)
            try await rig.call().call.answer("next")
            #expect(try await next.text() == "next")
        }
    }

    @Test(arguments: [HTTP2ErrorCode.cancel, .internalError, .refusedStream, .http11Required])
    func aServersResetIsTheClients(_ code: HTTP2ErrorCode) async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.post("/"))
            try await rig.call().call.reset(code)
            #expect(try await call.resetCode() == code)
            #expect(call.now.heads.isEmpty)
            let decision = try #require(try await rig.requests().first)
            #expect(decision.request?.flag == "upstream-reset" && decision.outcome.side == .destination)
            let next = try await client.open(.get("/"), end: true)
            try await rig.call().call.answer("next")
            #expect(try await next.text() == "next")
        }
    }

    @Test func whatCameBeforeAResetStillArrives() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.get("/"), end: true)
            call.expect()
            let served = try await rig.call().call
            try await served.headers([(":status", "200")])
            try await served.peer.send(served.id, .data(.init(data: .byteBuffer(Pattern.bytes(50_000, at: 0)))))
            try await served.reset(.internalError)
            #expect(try await call.resetCode() == .internalError)
            #expect(call.now.bytes == 50_000 && call.now.isIntact && !call.now.isEnded)
        }
    }

    @Test func anAnswerThatDoesNotWantTheRestOfTheRequestIsWhole() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.post("/"))
            let served = try await rig.call().call
            try await served.headers([(":status", "413")])
            try await served.data("too much", end: true)
            try await served.reset(.noError)
            #expect(try await call.text() == "too much")
            #expect(try await call.resetCode() == .noError)
        }
    }

    // MARK: Retries

    @Test func whatAServerDidNotLookAtGoesToAnother() async throws {
        try await HTTP2Rig.withEndpoints(2) { rig in
            let client = try await rig.client()
            for refusal in ["reset", "farewell"] {
                let call = try await client.open(.grpc("/\(refusal)"))
                try await call.data("mess")
                let (first, refused) = try await rig.call()
                try await soonTrue { refused.now.bytes == 4 }
                if refusal == "reset" {
                    try await refused.reset(.refusedStream)
                } else {
                    try await refused.peer.sayFarewell(last: 0)
                }
                let (second, served) = try await rig.call()
                // One that ends a connection may still be asked on another.
                #expect(served.peer !== refused.peer && (first != second || refusal == "farewell"))
                try await call.data("age", end: true)
                #expect(try await served.text() == "message")
                try await served.answer("served")
                #expect(try await call.text() == "served")
            }
            let decision = try #require(try await rig.requests().first)
            #expect(decision.request?.tries == 2 && decision.wire == "grpc")
        }
    }

    @Test func aFarewellOfTheOnlyServerLeadsToAnotherConnection() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let old = try await client.open(.post("/old"))
            let oldServed = try await rig.call().call
            let new = try await client.open(.post("/new"), end: true)
            let refused = try await rig.call().call
            try await refused.peer.sayFarewell(last: 1)
            let served = try await rig.call().call
            #expect(rig.servers[0].peers.count == 2 && served.peer !== refused.peer)
            #expect(try await served.head()[":path"] == "/new")
            try await served.answer("new")
            #expect(try await new.text() == "new")
            // What was open goes on, and the connection ends with it.
            try await old.data("rest", end: true)
            try await oldServed.answer("old")
            #expect(try await old.text() == "old")
            try await refused.peer.closed()
        }
    }

    @Test func aBrokenConnectionIsRepeatedOnlyWhereThatIsSafe() async throws {
        try await HTTP2Rig.withEndpoints(2) { rig in
            let client = try await rig.client()
            let put = try await client.open([(":method", "PUT")] + [(String, String)].get("/").dropFirst())
            try await put.data("body", end: true)
            let (first, lost) = try await rig.call()
            _ = try await lost.text()
            try await lost.peer.close()
            let (second, served) = try await rig.call()
            #expect(first != second)
            #expect(try await served.text() == "body")
            try await served.answer("twice")
            #expect(try await put.text() == "twice")

            let post = try await client.open(.post("/"), end: true)
            try await rig.call().call.peer.close()
            #expect(try await post.head()[":status"] == "502")
            let grpc = try await client.open(.grpc("/"), end: true)
            try await rig.call().call.peer.close()
            #expect(try await grpc.head()["grpc-status"] == "14")
            #expect(grpc.now.isEnded)
        }
    }

    @Test func aGatewayErrorIsTriedElsewhereWhereThatIsSafe() async throws {
        try await HTTP2Rig.withEndpoints(2) { rig in
            let client = try await rig.client()
            for method in ["GET", "POST"] {
                let call = try await client.open(
                    [(":method", method)] + [(String, String)].get("/").dropFirst(),
                    end: true
                )
                let (first, failing) = try await rig.call()
                try await failing.headers([(":status", "503")])
                if method == "GET" {
                    let (second, served) = try await rig.call()
                    #expect(first != second)
                    try await served.answer("fine")
                } else {
                    try await failing.data("sorry", end: true)
                }
                #expect(try await call.text() == (method == "GET" ? "fine" : "sorry"))
                #expect(call.now.heads == [[":status": method == "GET" ? "200" : "503"]])
            }
        }
    }

    @Test func aGRPCResponseThatBreaksOffIsUnavailable() async throws {
        try await HTTP2Rig.withService { rig in
            let call = try await rig.client().open(.grpc("/"), end: true)
            let served = try await rig.call().call
            try await served.headers([(":status", "200"), ("content-type", "application/grpc")])
            try await served.data("part")
            _ = try await call.bytes(atLeast: 4)
            try await served.peer.close()
            let trailers = try await call.head(1)
            #expect(trailers["grpc-status"] == "14" && trailers["weft-flags"] == "upstream-reset")
            #expect(call.now.isEnded && call.now.bytes == 4)
            let plain = try await rig.client().open(.get("/"), end: true)
            let other = try await rig.call().call
            try await other.headers([(":status", "200")])
            _ = try await plain.head()
            try await other.peer.close()
            #expect(try await plain.resetCode() == .internalError)
        }
    }

    // MARK: Endpoints

    @Test func theStreamsOfOneConnectionAreSpread() async throws {
        try await HTTP2Rig.withEndpoints(3) { rig in
            let client = try await rig.client()
            var (calls, served): ([HTTP2Call], [HTTP2Call]) = ([], [])
            var counts = [0, 0, 0]
            // None is answered before all have come, so nothing depends on the speed of this machine.
            for _ in 0..<30 { calls.append(try await client.open(.get("/"), end: true)) }
            for _ in calls {
                let (server, call) = try await rig.call()
                counts[server] += 1
                served.append(call)
            }
            #expect(counts.allSatisfy { $0 >= 1 }, "\(counts)")
            for call in served { try await call.answer("x") }
            for call in calls { #expect(try await call.text() == "x") }
            #expect(rig.servers.allSatisfy { $0.peers.count == 1 })
        }
    }

    @Test func anEndpointThatIsNotThereIsPassedOver() async throws {
        try await HTTP2Rig.withEndpoints(1, missing: 1) { rig in
            let client = try await rig.client()
            for number in 0..<20 {
                let call = try await client.open(.post("/\(number)"))
                try await call.data("hi", end: true)
                let served = try await rig.call().call
                #expect(try await served.text() == "hi")
                try await served.answer("done")
                #expect(try await call.text() == "done")
            }
        }
    }

    @Test func aServiceThatIsNotThereIsExplained() async throws {
        try await HTTP2Rig.withEndpoints(0, missing: 1) { rig in
            let client = try await rig.client()
            let plain = try await client.open(.get("/"), end: true)
            let head = try await plain.head()
            #expect(head[":status"] == "503" && head["server"] == "weft" && head["weft-flags"] == "connect-failed")
            #expect(try await plain.text().hasPrefix("weft: "))
            let grpc = try await client.open(.grpc("/"))
            let trailers = try await grpc.head()
            #expect(trailers[":status"] == "200" && trailers["grpc-status"] == "14")
            #expect(trailers["grpc-message"]?.hasPrefix("weft: ") == true)
            #expect(grpc.now.heads.count == 1 && grpc.now.isEnded)
            // It was still sending.
            #expect(try await grpc.resetCode() == .noError)
            let decisions = try await rig.requests()
            #expect(head["weft-decision"] == decisions.last.map { "\($0.id)" })
        }
    }

    @Test func aServerThatTakesFewStreamsGetsMoreConnections() async throws {
        let few: HTTP2Settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 2)]
        try await HTTP2Rig.withService(settings: few) { rig in
            let client = try await rig.client()
            let first = try await client.open(.get("/"), end: true)
            try await rig.call().call.answer("known")
            _ = try await first.text()
            var calls: [HTTP2Call] = []
            for number in 0..<7 { calls.append(try await client.open(.get("/\(number)"), end: true)) }
            for _ in calls {
                let served = try await rig.call().call
                try await served.headers([(":status", "200")])
            }
            #expect(rig.servers[0].peers.count == 4)
            for call in calls { #expect(try await call.head() == [":status": "200"]) }
        }
    }

    // MARK: Ends

    @Test func theEndOfAClientCancelsItsStreams() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            _ = try await client.open(.post("/"))
            let served = try await rig.call().call
            try await client.close()
            #expect(try await served.resetCode() == .cancel)
            try await served.peer.closed()
            let decision = try #require(try await CarryTests().decisions(rig.plane, 1).first { $0.request == nil })
            // The kernel resets a connection that is closed with something unread.
            #expect([.completed, .reset].contains(decision.outcome.ending) && decision.wire == "http/2")
        }
    }

    @Test func aClientIsToldWhenWeftDrains() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.get("/"), end: true)
            let served = try await rig.call().call
            let draining = Task { try await rig.plane.drain(deadline: .now + .seconds(10)) }
            #expect(try await client.farewell().code == .noError)
            // What is under way is served to its end.
            try await served.answer("last")
            #expect(try await call.text() == "last")
            try await client.closed()
            #expect(client.state.withLock { $0.farewells.map(\.last) } == [.maxID, 1])
            try await draining.value
        }
    }
}

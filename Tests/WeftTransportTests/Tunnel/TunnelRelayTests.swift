import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// Bytes and ends through a tunnel, seen by the two processes that use it: hbone.md sections 6 and 9.
    @Suite struct RelayTests {
        /// Runs `body` with a client and the application's side of its connection.
        func withPair(
            _ options: TunnelRig.Options = TunnelRig.Options(),
            _ body: (TunnelRig, TestSocket, TestSocket) async throws -> Void
        ) async throws {
            let (listener, application) = try TestSocket.listener()
            var options = options
            options.application = application
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                let server = try listener.accept()
                try await body(rig, client, server)
            }
        }

        func outcomes(_ rig: TunnelRig) async throws -> [Outcome] {
            try await eventually("both relays finished") {
                let counts = try await (rig.onClient { $0.outcomes.count }, rig.onServer { $0.outcomes.count })
                return counts == (1, 1)
            }
            return try await rig.onClient { $0.outcomes } + rig.onServer { $0.outcomes }
        }

        func nothingIsLeft(_ rig: TunnelRig) async throws {
            try await eventually("no streams left") {
                let client = try await rig.onClient { $0.pool.load }
                let server = try await rig.onServer { $0.server.load }
                return client.streams == 0 && server.streams == 0
            }
        }

        @Test func bytesGoBothWays() async throws {
            try await withPair { rig, client, server in
                try client.write(Array("hello".utf8))
                #expect(server.read() == .bytes(Array("hello".utf8)))
                try server.write(Array("goodbye".utf8))
                #expect(client.read() == .bytes(Array("goodbye".utf8)))
                let request = try await rig.onServer { $0.requests.first.map { ($0.peer.identity, $0.headers.count) } }
                #expect(request?.0 == TunnelPKI.identity("client"))
            }
        }

        @Test func serverThatSpeaksFirstIsHeardAtOnce() async throws {
            try await withPair { _, client, server in
                try server.write(Array("220 ready".utf8))
                #expect(client.read() == .bytes(Array("220 ready".utf8)))
            }
        }

        @Test func clientEndsFirstAndStillGetsTheWholeAnswer() async throws {
            try await withPair { rig, client, server in
                try client.write(Array("question".utf8))
                client.endOutput()
                #expect(server.readAll().bytes == Array("question".utf8))
                let answer = [UInt8](repeating: 7, count: 9_000_000)
                let received = Blocking.start { client.readAll() }
                try server.write(answer)
                server.endOutput()
                let (bytes, end) = await received.value
                #expect(bytes == answer)
                #expect(end == .end)
                #expect(try await outcomes(rig).allSatisfy { $0.ending == .completed })
                try await nothingIsLeft(rig)
            }
        }

        @Test func serverEndsFirstAndStillGetsTheWholeUpload() async throws {
            try await withPair { rig, client, server in
                server.endOutput()
                #expect(client.read() == .end)
                let upload = [UInt8](repeating: 9, count: 9_000_000)
                let received = Blocking.start { server.readAll() }
                try client.write(upload)
                client.endOutput()
                let (bytes, end) = await received.value
                #expect(bytes == upload)
                #expect(end == .end)
                #expect(try await outcomes(rig).allSatisfy { $0.ending == .completed })
                try await nothingIsLeft(rig)
            }
        }

        @Test func bothEndAtOnce() async throws {
            try await withPair { rig, client, server in
                client.endOutput()
                server.endOutput()
                #expect(client.readAll().end == .end)
                #expect(server.readAll().end == .end)
                #expect(try await outcomes(rig).allSatisfy { $0.ending == .completed })
                try await nothingIsLeft(rig)
            }
        }

        @Test func clientThatEndsBeforeTheDialIsOver() async throws {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            options.application = application
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                try client.write(Array("all".utf8))
                client.endOutput()
                let server = try listener.accept()
                #expect(server.readAll().bytes == Array("all".utf8))
                try server.write(Array("done".utf8))
                server.endOutput()
                #expect(client.readAll().bytes == Array("done".utf8))
            }
        }

        @Test func resetOfTheServerIsAResetForTheClient() async throws {
            try await withPair { rig, client, server in
                try server.write(Array("part".utf8))
                #expect(client.read() == .bytes(Array("part".utf8)))
                try server.reset()
                #expect(client.read() == .reset)
                #expect(try await outcomes(rig).allSatisfy { $0 == Outcome(.reset, side: .destination) })
                try await nothingIsLeft(rig)
            }
        }

        @Test func resetOfTheClientIsAResetForTheServer() async throws {
            try await withPair { rig, client, server in
                try client.write(Array("part".utf8))
                #expect(server.read() == .bytes(Array("part".utf8)))
                try client.reset()
                #expect(server.read() == .reset)
                #expect(try await outcomes(rig).allSatisfy { $0 == Outcome(.reset, side: .client) })
                try await nothingIsLeft(rig)
            }
        }

        @Test func resetAfterHalfCloseIsStillAReset() async throws {
            try await withPair { rig, client, server in
                client.endOutput()
                #expect(server.read() == .end)
                try server.reset()
                #expect(client.read() == .reset)
                try await nothingIsLeft(rig)
            }
        }

        @Test func halfClosedSilenceEndsWithAReset() async throws {
            var options = TunnelRig.Options()
            options.halfCloseTimeout = .milliseconds(30)
            try await withPair(options) { rig, client, server in
                client.endOutput()
                #expect(server.read() == .end)
                #expect(client.read() == .reset)
                #expect(server.read() != .bytes([]))
                try await nothingIsLeft(rig)
            }
        }

        @Test func deathOfTheTunnelIsAResetForBoth() async throws {
            try await withPair { rig, client, server in
                try client.write([1])
                #expect(server.read() == .bytes([1]))
                try await rig.onServer { $0.server.stop() }
                #expect(client.read() == .reset)
                #expect(server.read() == .reset)
            }
        }

        @Test func refusedApplicationIsAResetForTheClient() async throws {
            let (listener, application) = try TestSocket.listener()
            _ = consume listener
            var options = TunnelRig.Options()
            options.application = NetworkAddress(application.ip, port: 1)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                #expect(client.read() == .reset)
                #expect(try await rig.onClient { $0.failures } == [.refused(status: 503, because: "refused")])
            }
        }

        @Test func fiftyStreamsRunWhileOneReaderStalls() async throws {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            options.application = application
            try await TunnelRig.with(options) { rig in
                let stalled = try TestSocket.connected(to: rig.entry)
                let flood = try listener.accept()
                let flooding = Blocking.start {
                    let chunk = [UInt8](repeating: 1, count: 1 << 20)
                    // Far more than the window; ends with the deadline of the socket, or with the reset below.
                    for _ in 0..<64 { do { try flood.write(chunk) } catch { return } }
                }
                let size = 5_500_000
                try await withThrowingTaskGroup(of: Bool.self) { tasks in
                    for index in 0..<50 {
                        let client = try TestSocket.connected(to: rig.entry)
                        let server = try listener.accept()
                        let data = [UInt8](repeating: UInt8(index), count: size)
                        tasks.addTask { await Self.exchange(client, server, data) }
                    }
                    for try await whole in tasks { #expect(whole) }
                }
                #expect(try await rig.onClient { $0.pool.counters.handshakes } == 1)
                try stalled.reset()
                await flooding.value
            }
        }

        /// Sends the data both ways at once, on threads of its own.
        private static func exchange(_ client: TestSocket, _ server: TestSocket, _ data: [UInt8]) async -> Bool {
            let halves = [
                Blocking.start { send(data, on: client) }, Blocking.start { send(data, on: server) },
                Blocking.start { server.readAll() == (data, .end) },
                Blocking.start { client.readAll() == (data, .end) },
            ]
            var isWhole = true
            for half in halves { isWhole = await half.value && isWhole }
            return isWhole
        }
    }
}

private func send(_ data: [UInt8], on socket: TestSocket) -> Bool {
    do { try socket.write(data) } catch { return false }
    socket.endOutput()
    return true
}

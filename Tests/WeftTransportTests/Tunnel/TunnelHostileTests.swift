import Glibc
import NIOCore
import Synchronization
import Testing
import WeftCore
import WeftProxy

@testable import WeftTransport

extension TunnelTests {
    /// Peers that take more than they give, stop, or go away: what a node holds on to, and for how long.
    @Suite struct HostileTests {
        // MARK: At the server

        /// Answers that nobody reads are not kept for ever.
        @Test func clientThatAsksAndNeverReadsIsCutOff() async throws {
            // Each reason is new, so that header compression does not make the answers small.
            let count = Atomic(0)
            var options = TunnelRig.Options()
            options.decide = { _ in
                let number = count.add(1, ordering: .relaxed).newValue
                let text = String(repeating: "\(number) ", count: 50)
                return .deny(rule: text, node: text)
            }
            try await TunnelRig.with(options) { rig in
                let peer = try await RawPeer.client(to: rig.node, on: rig.group)
                try await peer.expect("SETTINGS") { $0.kind == .settings && $0.flags == 0 }
                try await peer.send(.settingsAnswer)
                try await peer.stopReading()
                var stream: UInt32 = 1
                while try await rig.onServer({ $0.server.load.tunnels }) == 1, stream < 2_000_000 {
                    var frames: [RawFrame] = []
                    for _ in 0..<1000 {
                        frames.append(.connect(stream, "\(rig.node.ip):9"))
                        stream += 2
                    }
                    // The server may close in the middle of it.
                    try? await peer.send(frames)
                }
                #expect(try await rig.onServer { $0.server.load.tunnels } == 0)
            }
        }

        /// Its kernel still answers, so that TCP never complains.
        @Test func clientThatStopsReadingInMidDownloadIsDeclaredDead() async throws {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            options.limits.tick = .milliseconds(10)
            options.limits.pingInterval = .milliseconds(100)
            options.limits.pingTimeout = .seconds(3)
            try await TunnelRig.with(options) { rig in
                let peer = try await RawPeer.client(
                    to: rig.node,
                    on: rig.group,
                    settings: [(4, 0x7fff_ffff)]
                )
                let window = RawFrame(kind: .windowUpdate, payload: RawFrame.bytes(0x7fff_0000 - 65_535))
                try await peer.send(.settingsAnswer, window, .connect(1, "\(application)"))
                #expect(try await peer.status(1) == "200")
                let server = try listener.accept()
                try await peer.stopReading()
                let flooding = Blocking.start {
                    let chunk = [UInt8](repeating: 1, count: 1 << 20)
                    for _ in 0..<200 { do { try server.write(chunk) } catch { return "\(error)" } }
                    return "all of it"
                }
                try await eventually("ping timeout") {
                    try await rig.onServer { $0.server.counters.failures } == ["ping-timeout": 1]
                }
                #expect(await flooding.value.contains("errno \(ECONNRESET) "))
            }
        }

        /// Single bytes, before the application has taken any and after.
        @Test func smallPiecesArriveWhole() async throws {
            let (listener, application) = try TestSocket.listener()
            try await TunnelRig.with(TunnelRig.Options()) { rig in
                let peer = try await RawPeer.client(to: rig.node, on: rig.group)
                let bytes = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try await peer.send(.settingsAnswer, .connect(1, "\(application)"))
                try await peer.send(bytes.map { .data(1, [$0]) })
                try await peer.send(.data(1, [], end: true))
                let server = try listener.accept()
                #expect(server.readAll() == (bytes, .end))
            }
        }

        @Test func authoritiesOfIPv6AndNames() async throws {
            var options = TunnelRig.Options()
            options.host = "::1"
            options.decide = { request in
                if case .host = request.authority { .refuse(status: 503, reason: "by name") } else { .allow }
            }
            try await TunnelRig.with(options) { rig in
                let peer = try await RawPeer.client(to: rig.node, on: rig.group)
                try await peer.send(.settingsAnswer)
                let expected: [(String, String, String?)] = [
                    ("[::1]:1", "503", "refused"), ("[0:0:0:0:0:0:0:1]:1", "503", "refused"),
                    ("[::2]:1", "400", nil), ("127.0.0.1:1", "400", nil), ("::1:1", "400", nil),
                    ("api.shop.svc.cluster.local:80", "503", "by name"),
                ]
                for (index, (authority, status, reason)) in expected.enumerated() {
                    let stream = UInt32(2 * index + 1)
                    try await peer.send(.connect(stream, authority))
                    #expect(try await peer.status(stream) == status, "\(authority)")
                    if let reason { #expect(peer.headers(stream)?["weft-reason"] == reason, "\(authority)") }
                }
            }
        }

        // MARK: At the client

        /// Runs `body` with a client before a server that the test plays.
        private func withClient(
            _ change: (inout TunnelRig.Options) -> Void = { _ in },
            _ body: (TunnelRig, RawServer) async throws -> Void
        ) async throws {
            try await RawServer.with { server in
                var options = TunnelRig.Options()
                options.node = server.address
                options.application = NetworkAddress(.loopbackV4, port: 9)
                options.limits.tick = .milliseconds(10)
                change(&options)
                try await TunnelRig.with(options) { rig in try await body(rig, server) }
            }
        }

        @Test func serverThatTakesNoStreamsIsAskedOnce() async throws {
            try await withClient { rig, server in
                let opened = try await OpenedStreams(rig)
                try await opened.ask(3)
                let peer = try await server.greeted(settings: [(3, 0)])
                try await eventually("failures") {
                    try await opened.counts().failures == [.notServed, .notServed, .notServed]
                }
                try await peer.expectClosed()
                #expect(try await rig.onClient { $0.pool.counters.dials } == 1)
                #expect(try await rig.onClient { $0.pool.load.tunnels } == 0)
            }
        }

        @Test func serverThatTakesOneStreamEachGetsNoFloodOfConnections() async throws {
            try await withClient {
                $0.limits.tunnelsMax = 3
                $0.limits.patience = .milliseconds(10)
                $0.limits.patienceMax = .milliseconds(100)
                $0.limits.openTimeout = .seconds(3)
            } _: { rig, server in
                let opened = try await OpenedStreams(rig)
                try await opened.ask(10)
                for index in 0..<3 {
                    let peer = try await server.greeted(index, settings: [(3, 1)])
                    try await peer.expect { $0.kind == .headers }
                    try await peer.send(.headers(1, [(":status", "200")]))
                }
                try await eventually("the others are turned away") {
                    let counts = try await opened.counts()
                    return counts.successes == 3 && counts.failures == [TunnelFailure](repeating: .overLimit, count: 7)
                }
                #expect(server.count == 3)
                // One that ends makes room for the next.
                let again = try await OpenedStreams(rig)
                try await again.ask(1)
                try await opened.closeAll()
                try await server.peer().expect { $0.kind == .headers && $0.stream == 3 }
                #expect(server.count == 3)
            }
        }

        @Test func serverThatStopsReadingInMidUploadIsDeclaredDead() async throws {
            try await withClient {
                $0.limits.pingInterval = .milliseconds(100)
                $0.limits.pingTimeout = .seconds(3)
            } _: { rig, server in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted(settings: [(4, 0x7fff_ffff)])
                let window = RawFrame(kind: .windowUpdate, payload: RawFrame.bytes(0x7fff_0000 - 65_535))
                try await peer.expect { $0.kind == .headers }
                try await peer.send(window, .headers(1, [(":status", "200")]))
                try await peer.stopReading()
                let flooding = Blocking.start {
                    let chunk = [UInt8](repeating: 1, count: 1 << 20)
                    for _ in 0..<200 { do { try client.write(chunk) } catch { return "\(error)" } }
                    return "all of it"
                }
                try await eventually("no tunnel") {
                    try await rig.onClient { $0.pool.load.tunnels == 0 && $0.outcomes.count == 1 }
                }
                #expect(await flooding.value.contains("errno \(ECONNRESET) "))
            }
        }

        /// As Istio's test server does: 200 before it has dialled.
        @Test func endRightBehindTheAnswerIsAnEnd() async throws {
            try await withClient { rig, server in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted()
                try await peer.expect { $0.kind == .headers }
                try await peer.send(.headers(1, [(":status", "200")]), .data(1, [], end: true))
                #expect(client.read() == .end)
                try client.write([5])
                try await peer.expect { $0.kind == .data && $0.payload == [5] }
                client.endOutput()
                try await eventually("completed") {
                    try await rig.onClient { $0.outcomes.map(\.ending) } == [.completed]
                }
            }
        }

        @Test(arguments: ["100", "103", "199"]) func interimAnswersAreFailures(status: String) async throws {
            try await withClient { rig, server in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted()
                try await peer.expect { $0.kind == .headers }
                try await peer.send(.headers(1, [(":status", status)]))
                #expect(client.read() == .reset)
                let failures = try await rig.onClient { $0.failures }
                #expect(failures == [.refused(status: Int(status) ?? 0, because: nil)])
            }
        }

        /// Nothing of the other streams is lost, and the connection lives.
        @Test func dataBeforeTheAnswerHurtsOnlyItsStream() async throws {
            try await withClient { rig, server in
                let client = try TestSocket.connected(to: rig.entry)
                let peer = try await server.greeted()
                try await peer.expect { $0.kind == .headers }
                try await peer.send(.data(1, [1, 2, 3]))
                #expect(client.read() == .reset)
                #expect(try await rig.onClient { $0.failures.count } == 1)
            }
        }

        // MARK: Ends

        /// The old connection carries what it has to its end, while the next one serves.
        @Test func drainInTheMiddleOfTransfersLosesNothing() async throws {
            let (listener, application) = try TestSocket.listener()
            var options = TunnelRig.Options()
            options.application = application
            options.limits.tick = .milliseconds(10)
            try await TunnelRig.with(options) { rig in
                let client = try TestSocket.connected(to: rig.entry)
                let server = try listener.accept()
                let size = 20_000_000
                let received = Blocking.start { client.readAll() }
                let sending = Blocking.start {
                    for index in 0..<20 {
                        let part = [UInt8](repeating: UInt8(index), count: size / 20)
                        do { try server.write(part) } catch { return false }
                    }
                    server.endOutput()
                    return true
                }
                try await eventually("under way") { try await rig.onServer { $0.server.load.streams } == 1 }
                try await rig.onServer { $0.server.drain() }
                try await eventually("heard of") {
                    try await rig.onClient { $0.pool.load == (1, 1) }
                }
                #expect(await sending.value)
                let (bytes, end) = await received.value
                #expect(end == .end)
                #expect(bytes.count == size)
                #expect((0..<20).allSatisfy { bytes[$0 * size / 20] == UInt8($0) })
                client.endOutput()
                try await eventually("no tunnel") {
                    let loads = try await (
                        rig.onClient { $0.pool.load.tunnels }, rig.onServer { $0.server.load.tunnels }
                    )
                    return loads == (0, 0)
                }
            }
        }

        /// The wire breaks in mid-stream, or one of the two gives up: all processes see a reset, the next connection
        /// works, and after a thousand nothing is left of any.
        @Test func thousandBrokenConnectionsLeaveNothing() async throws {
            try await Cable.with { cable in
                let (listener, application) = try TestSocket.listener()
                var options = TunnelRig.Options()
                options.application = application
                options.node = cable.address
                try await TunnelRig.with(options) { rig in
                    cable.plug(into: rig.node)
                    for cycle in 0..<8 { try await breakTunnel(cycle, rig, cable, listener) }
                    let before = Resources.now
                    for cycle in 0..<100 { try await breakTunnel(cycle, rig, cable, listener) }
                    let after = Resources.now
                    // Other tests run beside this one; a leak of a thousand would be far beyond.
                    #expect(after.descriptors - before.descriptors < 300)
                    #expect(after.kibibytes - before.kibibytes < 48 * 1024)
                    try await eventually("nobody holds anything") {
                        let alive = try await (rig.onClient { $0.seen.alive }, rig.onServer { $0.seen.alive })
                        return alive == (0, 0)
                    }
                    #expect(try await rig.onServer { $0.seen.count } == 1080)
                    #expect(try await rig.onClient { $0.pool.load } == (0, 0))
                    #expect(try await rig.onServer { $0.server.load } == (0, 0))
                }
            }
        }

        /// Breaks a tunnel with ten connections in it.
        private func breakTunnel(_ cycle: Int, _ rig: TunnelRig, _ cable: Cable, _ listener: TestSocket) async throws {
            var ends: [TestSocket] = []
            for _ in 0..<10 {
                let client = try TestSocket.connected(to: rig.entry)
                let server = try listener.accept()
                try client.write([UInt8](repeating: 1, count: 20_000))
                try server.write([UInt8](repeating: 2, count: 20_000))
                ends += [client, server]
            }
            switch cycle % 4 {
            case 0, 1: try await cable.cut()
            case 2: try await rig.onClient { $0.pool.close(to: .loopbackV4) }
            default: try await rig.onServer { $0.server.recheck { _ in .refused } }
            }
            for end in ends { #expect(end.readAll().end == .reset) }
        }
    }
}

/// What this process holds.
private struct Resources {
    let descriptors: Int
    let kibibytes: Int

    static var now: Resources {
        var count = 0
        if let directory = opendir("/proc/self/fd") {
            while readdir(directory) != nil { count += 1 }
            closedir(directory)
        }
        var kibibytes = 0
        if let file = fopen("/proc/self/statm", "r") {
            var line = [CChar](repeating: 0, count: 128)
            fgets(&line, 128, file)
            fclose(file)
            let words = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
            kibibytes = (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 4
        }
        return Resources(descriptors: count, kibibytes: kibibytes)
    }
}

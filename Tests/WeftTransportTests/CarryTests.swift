import Logging
import Synchronization
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// Answers as the kernel would for connections that all dialled one destination.
final class FixedLookup: SocketLookup {
    let destination: NetworkAddress?

    init(_ destination: NetworkAddress?) { self.destination = destination }

    func original(listener: NetworkAddress, peer: NetworkAddress) -> (ClientAddress, OriginalDestination)? {
        destination.map { (ClientAddress(peer), OriginalDestination($0)) }
    }

    func owner(client: ClientAddress, destination: OriginalDestination) -> SocketOwner? {
        SocketOwner(uid: UserID(1000), inode: 7, cgroup: CgroupID(42))
    }
}

/// Carries real TCP connections over loopback; only the kernel's redirect is replaced.
@Suite(.blocking) struct CarryTests {
    static let unit = Workload(
        unit: "web.service",
        slice: "system.slice",
        tenant: .system,
        cgroupPath: "/system.slice/web.service"
    )

    static func settings() -> DataPlaneSettings {
        DataPlaneSettings(
            connectTimeout: .seconds(5),
            halfCloseTimeout: .seconds(60),
            keepaliveIdle: .seconds(60),
            userTimeout: .seconds(60),
            preserveClientAddress: false,
            dialMark: nil,
            transparentMark: 0,
            connectionsMax: 1000,
            decisionsMax: 100
        )
    }

    /// Runs `body` with a data plane whose every connection goes to `destination`.
    func withPlane(
        to destination: NetworkAddress?,
        settings: DataPlaneSettings = settings(),
        snapshot: MeshSnapshot = MeshSnapshot(),
        loops: Int = 2,
        resolve: @escaping WorkloadResolver = { $1(CarryTests.unit) },
        _ body: (DataPlane, NetworkAddress) async throws -> Void
    ) async throws {
        let listener = try CaptureListener(kind: .outbound, address: NetworkAddress(.loopbackV4, port: 0))
        let address = try RawSocket(listener.descriptor).localAddress()
        let named = CaptureListener(kind: .outbound, address: address, adopting: listener.descriptor)
        let plane = try await DataPlane.start(
            loopCount: loops,
            listeners: [named],
            settings: settings,
            snapshot: snapshot,
            makeLookup: { FixedLookup(destination ?? address) },
            resolveWorkload: resolve,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await plane.accept()
            try await body(plane, address)
        } catch {
            try await plane.stop()
            throw error
        }
        try await plane.stop()
    }

    /// Polls until the plane has recorded `count` connections.
    func decisions(_ plane: DataPlane, _ count: Int) async throws -> [Decision] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let decisions = try await plane.decisions(last: 100)
            if decisions.count >= count { return decisions }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestError("fewer than \(count) decisions after 10 s")
    }

    @Test func bytesGoBothWaysAndAreCounted() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try client.write(Array("hello".utf8))
            #expect(upstream.read() == .bytes(Array("hello".utf8)))
            try upstream.write(Array("goodbye".utf8))
            #expect(client.read() == .bytes(Array("goodbye".utf8)))
            let live = try await plane.connections()
            #expect(live.count == 1)
            #expect(live.first?.source.workload == Self.unit)
            #expect(live.first?.phase == .open)
            client.endOutput()
            #expect(upstream.read() == .end)
            upstream.endOutput()
            #expect(client.read() == .end)
            let decision = try #require(try await decisions(plane, 1).first)
            #expect(decision.bytesOut == 5)
            #expect(decision.bytesIn == 7)
            #expect(decision.outcome.ending == .completed)
            #expect(decision.destination.address == server)
            #expect(decision.source.owner?.uid == UserID(1000))
        }
    }

    @Test func serverThatSpeaksFirstIsHeardAtOnce() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { _, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try upstream.write(Array("220 ready".utf8))
            #expect(client.read() == .bytes(Array("220 ready".utf8)))
        }
    }

    @Test func clientEndsFirstAndStillGetsTheWholeAnswer() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            try client.write(Array("question".utf8))
            client.endOutput()
            let upstream = try listener.accept()
            #expect(upstream.readAll().bytes == Array("question".utf8))
            let answer = [UInt8](repeating: 7, count: 3_000_000)
            let received = Blocking.start { client.readAll() }
            try upstream.write(answer)
            upstream.endOutput()
            let (bytes, end) = await received.value
            #expect(bytes == answer)
            #expect(end == .end)
            #expect(try await decisions(plane, 1).first?.outcome.ending == .completed)
        }
    }

    @Test func serverEndsFirstAndStillGetsTheWholeUpload() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            upstream.endOutput()
            #expect(client.read() == .end)
            let upload = [UInt8](repeating: 9, count: 3_000_000)
            let received = Blocking.start { upstream.readAll() }
            try client.write(upload)
            client.endOutput()
            let (bytes, end) = await received.value
            #expect(bytes == upload)
            #expect(end == .end)
            #expect(try await decisions(plane, 1).first?.outcome.ending == .completed)
        }
    }

    @Test func resetOfTheServerIsAResetForTheClient() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try upstream.write(Array("part".utf8))
            #expect(client.read() == .bytes(Array("part".utf8)))
            try upstream.reset()
            #expect(client.read() == .reset)
            let outcome = try await decisions(plane, 1).first?.outcome
            #expect(outcome == Outcome(.reset, side: .destination))
        }
    }

    @Test func resetOfTheClientIsAResetForTheServer() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try client.reset()
            #expect(upstream.read() == .reset)
            let outcome = try await decisions(plane, 1).first?.outcome
            #expect(outcome == Outcome(.reset, side: .client))
        }
    }

    @Test func resetAfterHalfCloseIsStillAReset() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            client.endOutput()
            #expect(upstream.read() == .end)
            try upstream.reset()
            #expect(client.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome == Outcome(.reset, side: .destination))
        }
    }

    @Test func refusedDialIsAResetForTheClient() async throws {
        let (listener, server) = try TestSocket.listener()
        _ = consume listener
        try await withPlane(to: NetworkAddress(server.ip, port: 1)) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            #expect(client.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome == Outcome(.refused, side: .destination))
            #expect(try await plane.counters().failed == 1)
        }
    }

    @Test func silentDestinationTimesOut() async throws {
        var settings = Self.settings()
        settings.connectTimeout = .milliseconds(100)
        // A backlog of one that is full: further SYNs are not answered.
        let (listener, server) = try TestSocket.listener(backlog: 0)
        let fillers = (0..<4).compactMap { _ in try? NonBlockingDial(server) }
        try await withPlane(to: server, settings: settings) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            #expect(client.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome == Outcome(.connectTimeout, side: .destination))
        }
        _ = (listener, fillers)
    }

    @Test func destinationThatIsWeftItselfIsRefused() async throws {
        try await withPlane(to: nil) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            #expect(client.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome == Outcome(.loop, side: .weft))
        }
    }

    @Test func halfClosedSilenceEndsWithAReset() async throws {
        var settings = Self.settings()
        settings.halfCloseTimeout = .milliseconds(1)
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server, settings: settings) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            client.endOutput()
            #expect(upstream.read() == .end)
            #expect(client.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome.ending == .lingerTimeout)
        }
    }

    @Test func unknownUnitIsTheHostAndCounted() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server, resolve: { $1(nil) }) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            _ = try listener.accept()
            #expect(try await plane.connections().first?.source.workload == .host)
            #expect(try await plane.counters().attributionMisses == 1)
            _ = client
        }
    }

    @Test func stalledReaderStopsTheWriter() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            let chunk = [UInt8](repeating: 1, count: 65536)
            var sent = 0
            var idleRounds = 0
            // What goes in is what the kernel's buffers on both sides hold, and a little of weft's.
            while idleRounds < 20, sent < 256 << 20 {
                let count = client.writeNow(chunk)
                sent += count
                if count == 0 {
                    idleRounds += 1
                    try await Task.sleep(for: .milliseconds(10))
                } else {
                    idleRounds = 0
                }
            }
            #expect(sent < 64 << 20)
            let carried = try #require(try await plane.connections().first?.bytesOut)
            // Read from the client, but neither delivered nor in the kernel: at most the high-water mark and one turn.
            #expect(Int(carried) <= sent)
            client.endOutput()
            let (bytes, end) = upstream.readAll()
            #expect(bytes.count == sent)
            #expect(end == .end)
        }
    }

    @Test func acceptingWaitsAtTheLimitAndGoesOn() async throws {
        var settings = Self.settings()
        settings.connectionsMax = 2
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server, settings: settings) { plane, entry in
            var clients: [TestSocket] = []
            for _ in 0..<60 { clients.append(try TestSocket.connected(to: entry)) }
            let deadline = ContinuousClock.now + .seconds(10)
            while plane.budget.pauseCount == 0, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(plane.budget.pauseCount > 0)
            #expect(plane.budget.open < 60)
            // The early ones end; the waiting ones are served.
            async let servers: Void = (0..<60).forEach { _ in try listener.accept().write([1]) }
            for client in clients {
                #expect(client.read() == .bytes([1]))
                try client.reset()
            }
            try await servers
        }
    }

    @Test func drainResetsWhatDoesNotEnd() async throws {
        let (listener, server) = try TestSocket.listener()
        try await withPlane(to: server) { plane, entry in
            let client = try TestSocket.connected(to: entry)
            let upstream = try listener.accept()
            try await plane.drain(deadline: .now + .milliseconds(50))
            #expect(client.read() == .reset)
            #expect(upstream.read() == .reset)
            #expect(try await decisions(plane, 1).first?.outcome == Outcome(.shutdown, side: .weft))
        }
    }
}

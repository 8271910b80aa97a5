import NIOCore
import NIOEmbedded
import NIOHPACK
import Testing
import WeftCore

@testable import WeftTransport

/// The small parts of tunnels, each for itself.
@Suite struct TunnelPartsTests {
    // MARK: Authority

    @Test(arguments: [
        ("10.0.0.7:8080", "10.0.0.7:8080"), ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("svc.ns.svc.cluster.local:80", "svc.ns.svc.cluster.local:80"), ("API:1", "api:1"), ("a_b:65535", "a_b:65535"),
        ("[::1]:80", "[::1]:80"),
    ])
    func authoritiesAreRead(text: String, canonical: String) {
        #expect(TunnelAuthority(text)?.description == canonical)
    }

    @Test(arguments: [
        "", ":", "10.0.0.7", "10.0.0.7:", ":80", "10.0.0.7:0", "10.0.0.7:65536", "10.0.0.7:+80", "10.0.0.7:080808",
        "10.0.0.300:80", "2001:db8::1:80", "[2001:db8::1]", "[10.0.0.7]:80", "a b:80", "a..b:80", "a/b:80", "@:80",
        "u@host:80", "12:80", String(repeating: "a", count: 300) + ":80", String(repeating: "a", count: 64) + ":80",
    ])
    func otherTextIsNoAuthority(text: String) {
        #expect(TunnelAuthority(text) == nil)
    }

    // MARK: PING

    @Test func pingsComeAtIntervalsAndOnlyOneWaits() {
        var keepalive = TunnelKeepalive(interval: .seconds(10), timeout: .seconds(20), now: at(0))
        #expect(look(&keepalive, 9) == .nothing)
        #expect(look(&keepalive, 10) == .ping)
        #expect(look(&keepalive, 25) == .nothing)
        keepalive.pingLeft(now: at(11))
        keepalive.pingAnswered(now: at(12))
        #expect(look(&keepalive, 21) == .nothing)
        #expect(look(&keepalive, 22) == .ping)
    }

    @Test func silenceAfterAPingIsDeath() {
        var keepalive = TunnelKeepalive(interval: .seconds(10), timeout: .seconds(20), now: at(0))
        #expect(look(&keepalive, 10) == .ping)
        keepalive.pingLeft(now: at(10))
        #expect(look(&keepalive, 29) == .nothing)
        #expect(look(&keepalive, 30) == .dead)
    }

    @Test func pingThatWaitsForTheSocketIsNotCounted() {
        var keepalive = TunnelKeepalive(interval: .seconds(10), timeout: .seconds(20), now: at(0))
        #expect(look(&keepalive, 10) == .ping)
        // Something moves all the time, if slowly.
        for seconds in stride(from: 20, through: 60, by: 10) as StrideThrough<UInt64> {
            keepalive.wrote(now: at(seconds))
            #expect(look(&keepalive, seconds) == .nothing)
        }
        keepalive.pingLeft(now: at(60))
        #expect(look(&keepalive, 79) == .nothing)
        #expect(look(&keepalive, 80) == .dead)
    }

    @Test func socketThatTakesNothingMoreIsDeath() {
        var keepalive = TunnelKeepalive(interval: .seconds(10), timeout: .seconds(20), now: at(0))
        keepalive.wrote(now: at(9))
        #expect(look(&keepalive, 10) == .ping)
        #expect(look(&keepalive, 29) == .nothing)
        #expect(look(&keepalive, 30) == .dead)
    }

    @Test func peerThatSendsIsAlive() {
        var keepalive = TunnelKeepalive(interval: .seconds(10), timeout: .seconds(20), now: at(0))
        #expect(look(&keepalive, 10) == .ping)
        keepalive.pingLeft(now: at(10))
        keepalive.heard(now: at(25))
        #expect(look(&keepalive, 44) == .nothing)
        #expect(look(&keepalive, 45) == .dead)
    }

    /// What `#expect` cannot do itself: call what changes the value.
    private func look(_ keepalive: inout TunnelKeepalive, _ seconds: UInt64) -> TunnelKeepalive.Action {
        keepalive.look(now: at(seconds))
    }

    private func update(_ windows: inout TunnelWindows) -> Int? { windows.update() }

    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    // MARK: Windows

    @Test func windowIsOpenedByHalves() {
        var windows = TunnelWindows(target: 1_000_000, unreadFree: 500_000)
        #expect(update(&windows) == 1_000_000 - 65_535)
        #expect(update(&windows) == nil)
        windows.updateLeft(1_000_000 - 65_535)
        windows.changed(to: 600_000)
        #expect(update(&windows) == nil)
        windows.changed(to: 500_000)
        #expect(update(&windows) == 500_000)
    }

    @Test func unreadBytesCountBeyondWhatIsFree() {
        var windows = TunnelWindows(target: 1_000_000, unreadFree: 500_000)
        #expect(update(&windows) != nil)
        windows.updateLeft(1_000_000 - 65_535)
        windows.received(500_000)
        windows.changed(to: 500_000)
        #expect(update(&windows) == 500_000)
        windows.updateLeft(500_000)
        windows.received(1_000_000)
        windows.changed(to: 0)
        #expect(update(&windows) == nil)
        windows.consumed(499_999)
        #expect(update(&windows) == nil)
        windows.consumed(1)
        #expect(update(&windows) == 500_000)
    }

    // MARK: Floods

    @Test func updatesAreAllowedForWhatWasSent() {
        var flood = TunnelFlood()
        let free = (0..<TunnelFlood.updatesFree).map { _ in flood.updateReceived() }
        #expect(free.allSatisfy { $0 })
        let beyond = flood.updateReceived()
        #expect(!beyond)
        flood.dataSent()
        let paid = flood.updateReceived()
        #expect(paid)
    }

    @Test func earlyResetsAreCountedForATime() {
        var flood = TunnelFlood()
        let free = (0..<TunnelFlood.earlyResetsMax).map { _ in flood.earlyReset(now: at(0)) }
        #expect(free.allSatisfy { $0 })
        let beyond = flood.earlyReset(now: at(9))
        #expect(!beyond)
        let later = flood.earlyReset(now: at(10))
        #expect(later)
    }

    // MARK: Answers

    @Test func textOfAPeerIsCleanedAndCut() {
        let long = String(repeating: "x", count: 1000)
        let answer = TunnelAnswer(
            [":status": "401", "weft-denied-by": "a\u{1b}[31m\u{e9}", "weft-node": long],
            isEnd: true
        )
        #expect(answer.rule == "a?[31m??")
        #expect(answer.node?.utf8.count == 256)
        #expect(TunnelAnswer([:], isEnd: true).failure == .refused(status: 0, because: nil))
    }

    // MARK: FlushGate

    @Test func whatATurnWritesLeavesAtOnce() throws {
        let channel = EmbeddedChannel(handler: FlushGate())
        for number in UInt8(0)..<5 {
            channel.write(IOData.byteBuffer(ByteBuffer(bytes: [number])), promise: nil)
            channel.flush()
        }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0, 1, 2, 3, 4]))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.write(IOData.byteBuffer(ByteBuffer(bytes: [5])), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.flush()
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [5]))
        _ = try channel.finish()
    }

    @Test func muchIsNotHeldBack() throws {
        let channel = EmbeddedChannel(handler: FlushGate())
        channel.write(IOData.byteBuffer(ByteBuffer(repeating: 1, count: 200_000)), promise: nil)
        #expect(try channel.readOutbound(as: ByteBuffer.self)?.readableBytes == 200_000)
        _ = try channel.finish()
    }

    @Test func closeTakesWhatIsThere() throws {
        let channel = EmbeddedChannel(handler: FlushGate())
        channel.write(IOData.byteBuffer(ByteBuffer(bytes: [1])), promise: nil)
        channel.close(promise: nil)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(bytes: [1]))
    }
}

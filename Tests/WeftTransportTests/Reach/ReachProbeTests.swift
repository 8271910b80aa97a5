import Glibc
import Logging
import Testing
import WeftCore
import WeftGossip

@testable import WeftTransport

/// Which ports of another host can be used, with real sockets and the real gossip core on loopback.
@Suite(.blocking, .timeLimit(.minutes(1))) struct ReachProbeTests {
    private static let key = [UInt8](repeating: 5, count: 32)

    private func report(_ ip: IPAddress, _ tunnel: UInt16, _ gossip: UInt16, _ security: WireSecurity = WireSecurity())
        async -> ReachReport
    {
        await ReachProbe(dialMark: nil, timeout: .milliseconds(800))
            .report(on: ip, tunnelPort: tunnel, gossipPort: gossip, security: security)
    }

    @Test func everythingIsOpen() async throws {
        let (listener, address) = try TestSocket.listener()
        try await withMember { member in
            let report = await report(member.ip, address.port, member.port)
            #expect(report == ReachReport(tunnel: .open, gossipStream: .open, gossipDatagram: .open))
            #expect(report.isComplete)
        }
        withExtendedLifetime(listener) {}
    }

    /// Nobody listens, neither over TCP nor over UDP, and the kernel says so.
    @Test func nothingListens() async throws {
        let ip = IPAddress.v4(0x7f00_0009)
        let report = await report(ip, 1, 2)
        #expect(report == ReachReport(tunnel: .refused, gossipStream: .refused, gossipDatagram: .refused))
        #expect(!report.isComplete)
    }

    /// A socket that is bound and never read: as behind a firewall that drops.
    @Test func whatDoesNotAnswerIsSilent() async throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        let raw = RawSocket(descriptor)
        try raw.bind(to: NetworkAddress(.loopbackV4, port: 0))
        let port = try raw.localAddress().port
        #expect(await report(.loopbackV4, 1, port).gossipDatagram == .silent)
    }

    @Test func whereThereIsNoWayNothingIsReached() async throws {
        let broadcast = try #require(IPAddress("255.255.255.255"))
        let report = await report(broadcast, 1, 2)
        #expect(report.tunnel == .unreachable)
        #expect(report.gossipDatagram == .unreachable)
    }

    @Test(arguments: EncryptionMode.allCases, EncryptionMode.allCases)
    func membersWithTheKeyAnswerInEachMode(mine: EncryptionMode, theirs: EncryptionMode) async throws {
        let security = WireSecurity(keyring: Keyring(keys: [Self.key]), mode: mine)
        try await withMember(keys: [Self.key], mode: theirs) { member in
            #expect(await report(member.ip, 1, member.port, security).gossipDatagram == .open)
        }
    }

    @Test func aStrangerToTheKeyIsAnsweredOnlyInClearText() async throws {
        let other = WireSecurity(keyring: Keyring(keys: [[UInt8](repeating: 6, count: 32)]), mode: .have)
        try await withMember(keys: [Self.key], mode: .have) { member in
            #expect(await report(member.ip, 1, member.port, other).gossipDatagram == .open)
        }
        try await withMember(keys: [Self.key], mode: .only) { member in
            let report = await report(member.ip, 1, member.port, other)
            #expect(report.gossipDatagram == .silent)
            #expect(report.gossipStream == .open)
        }
    }

    /// Somebody who has not seen the ping cannot answer it.
    @Test func anAnswerToSomethingElseIsNone() async throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        let raw = RawSocket(descriptor)
        try raw.bind(to: NetworkAddress(.loopbackV4, port: 0))
        let port = try raw.localAddress().port
        let impostor = Blocking<Void>.start {
            var timeout = timeval(tv_sec: 3, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
            var bytes = [UInt8](repeating: 0, count: 2048)
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let ack = MemberlistMessage.ack(Ack(sequence: 0, payload: nil)).encoded()
            withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    guard recvfrom(descriptor, &bytes, bytes.count, 0, address, &length) > 0 else { return }
                    for answer in [ack, [1, 2, 3], []] { sendto(descriptor, answer, answer.count, 0, address, length) }
                }
            }
        }
        #expect(await report(.loopbackV4, 1, port).gossipDatagram == .silent)
        await impostor.value
    }

    /// A gossip member at an address of its own.
    private func withMember(
        keys: [[UInt8]] = [],
        mode: EncryptionMode = .only,
        _ body: (NetworkAddress) async throws -> Void
    ) async throws {
        let probe = try RawSocket.stream(.v4)
        try probe.bind(to: NetworkAddress(.loopbackV4, port: 0))
        let address = try probe.localAddress()
        probe.close()
        var configuration = GossipConfiguration(name: "a", advertise: address, keys: keys)
        configuration.encryption = mode
        let gossip = try await Gossip.start(
            configuration,
            snapshot: nil,
            bindAddresses: [address.ip],
            dialMark: nil,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await body(address)
        } catch {
            await gossip.stop()
            throw error
        }
        await gossip.stop()
    }
}

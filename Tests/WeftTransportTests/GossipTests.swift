import Glibc
import Logging
import Testing
import WeftCore
import WeftGossip

@testable import WeftTransport

/// The gossip core with real sockets, several hosts in this process at addresses of 127.0.0.0/8.
@Suite(.timeLimit(.minutes(2))) struct GossipTests {
    @Test func hostsFindEachOtherAndExchangeEverythingThatTheyCan() async throws {
        try await withHosts(3) { hosts in
            for host in hosts.dropFirst() {
                let outcome = try await host.gossip.join([hosts[0].address])
                #expect(outcome.joined == [hosts[0].address])
            }
            for host in hosts { try await host.waitForMembers(["a", "b", "c"]) }

            try await hosts[1].gossip.sendUserEvent(name: "deployed", payload: [1, 2, 3], coalesce: false)
            for host in hosts {
                _ = try await host.notice { notice in
                    if case .userEvent(let event) = notice { event.name == "deployed" } else { false }
                }
            }
            try await hosts[2].gossip.sendDirect([9, 9], to: "a")
            let direct = try await hosts[0].notice { notice in
                if case .direct = notice { true } else { false }
            }
            #expect(direct == .direct([9, 9], from: "c"))

            hosts[0].gossip.setSection([7])
            hosts[1].gossip.setSection([8])
            _ = try await hosts[1].gossip.join([hosts[0].address])
            let section = try await hosts[1].notice { notice in
                if case .section = notice { true } else { false }
            }
            #expect(section == .section([7], from: "a"))
        }
    }

    @Test func aHostThatLeavesIsSeenToHaveLeft() async throws {
        try await withHosts(2) { hosts in
            _ = try await hosts[1].gossip.join([hosts[0].address])
            try await hosts[1].gossip.leave()
            let change = try await hosts[0].notice { notice in
                if case .memberChanged(let change) = notice { change.kind == .left } else { false }
            }
            guard case .memberChanged(let left) = change else { return }
            #expect(left.member.name == "b")
            await #expect(throws: GossipError.leaving) {
                try await hosts[1].gossip.sendUserEvent(name: "late", payload: [], coalesce: false)
            }
        }
    }

    @Test func runningHostsMoveToEncryption() async throws {
        try await withHosts(3) { hosts in
            let key = [UInt8](repeating: 7, count: 32)
            for host in hosts.dropFirst() { _ = try await host.gossip.join([hosts[0].address]) }
            for host in hosts { try await host.waitForMembers(["a", "b", "c"]) }
            for mode in EncryptionMode.allCases {
                for host in hosts { try await host.gossip.setEncryption(keys: [key], mode: mode) }
                for (index, host) in hosts.enumerated() {
                    try await host.gossip.sendUserEvent(name: "\(mode) \(index)", payload: [], coalesce: false)
                }
                for host in hosts {
                    var missing = Set(hosts.indices.map { "\(mode) \($0)" })
                    while !missing.isEmpty {
                        _ = try await host.notice { notice in
                            if case .userEvent(let event) = notice { missing.remove(event.name) != nil } else { false }
                        }
                    }
                    _ = try await host.gossip.join(hosts.map(\.address).filter { $0 != host.address })
                    #expect(try await host.gossip.members().members.map(\.state) == [.alive, .alive, .alive])
                }
            }
            let outcome = try await hosts[0].gossip.manageKeys(.list)
            #expect(outcome.isComplete && outcome.results.count == 3)
            for host in hosts {
                let counters = try await host.gossip.report().counters
                #expect(counters.wireDrops.total == 0)
                #expect(counters.streamFailures.total == 0)
            }
            await #expect(throws: GossipError.key(byteCount: 1)) {
                try await hosts[0].gossip.setEncryption(keys: [[1]], mode: .only)
            }
        }
    }

    @Test func rubbishIsCountedAndStopsNothing() async throws {
        try await withHosts(2) { hosts in
            let target = hosts[0].address
            for size in [0, 1, 2, 7, 64, 1400, 20_000] {
                try sendDatagram(
                    [UInt8](repeating: UInt8(truncatingIfNeeded: size &* 31 &+ 5), count: size),
                    to: target
                )
            }
            // A whole message of a type that there is not, one that ends in its middle, and nothing at all.
            for bytes in [[UInt8(200)], [6, 0x83, 0xa4], []] { try sendStream(bytes, to: target) }
            _ = try await hosts[1].gossip.join([target])
            for host in hosts { try await host.waitForMembers(["a", "b"]) }
            let deadline = ContinuousClock.now + .seconds(30)
            var counters = GossipCounters()
            repeat {
                counters = try await hosts[0].gossip.report().counters
                if counters.wireDrops.total >= 5, counters.streamFailures.total >= 3 { break }
                try await Task.sleep(for: .milliseconds(20))
            } while ContinuousClock.now < deadline
            #expect(counters.wireDrops.total >= 5)
            #expect(counters.streamFailures.total >= 3)
        }
    }

    /// The kernel refuses such a dial before it returns, in the middle of the turn that asked for it.
    @Test func aDialThatFailsAtOnceIsLikeAnyOther() async throws {
        try await withHosts(1) { hosts in
            let broadcast = try #require(IPAddress("255.255.255.255"))
            let addresses = (1...5).map { NetworkAddress(broadcast, port: $0) }
            let outcome = try await hosts[0].gossip.join(addresses)
            #expect(outcome.joined == [])
            #expect(outcome.failed.map(\.address).sorted() == addresses.sorted())
        }
    }

    @Test func anAddressWhereNobodyAnswersFailsTheJoin() async throws {
        try await withHosts(1) { hosts in
            // Bound, so that it stays free of others, and not listening.
            let nobody = try RawSocket.stream(.v4)
            defer { nobody.close() }
            try nobody.bind(to: NetworkAddress(.loopbackV4, port: 0))
            let address = try nobody.localAddress()
            let outcome = try await hosts[0].gossip.join([address])
            #expect(outcome.joined == [])
            #expect(outcome.failed.map(\.address) == [address])
            #expect(outcome.failed.map(\.reason) == [.stream(.unreachable)])
        }
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        try await withHosts(1) { hosts in
            let error = await #expect(throws: GossipBindError.self) {
                _ = try await start("twin", at: hosts[0].address)
            }
            #expect(error?.address == hosts[0].address)
            #expect(error?.description.contains("gossip cannot listen on \(hosts[0].address)") == true)
        }
    }

    @Test func stoppingEndsTheNoticesAndFreesThePort() async throws {
        try await withHosts(1) { hosts in
            await hosts[0].gossip.stop()
            let again = try await start("again", at: hosts[0].address)
            await again.stop()
        }
    }
}

/// One host of a test, whose notices are read one by one.
private final class GossipHost {
    let gossip: Gossip
    let address: NetworkAddress
    private var waiting: [GossipNotice] = []
    private var iterator: AsyncStream<GossipNotices>.AsyncIterator

    init(_ gossip: Gossip, address: NetworkAddress) {
        self.gossip = gossip
        self.address = address
        self.iterator = gossip.notices.makeAsyncIterator()
    }

    /// The next notice that satisfies a condition. The suite's time limit is the deadline.
    func notice(where condition: (GossipNotice) -> Bool) async throws -> GossipNotice {
        while true {
            while !waiting.isEmpty {
                let notice = waiting.removeFirst()
                if condition(notice) { return notice }
            }
            guard let batch = await iterator.next(isolation: #isolation) else {
                throw SocketError("notices have ended", 0)
            }
            #expect(!batch.isAfterGap)
            waiting += batch.notices
        }
    }

    func waitForMembers(_ names: [MemberName]) async throws {
        while try await gossip.members().members.map(\.name) != names { try await Task.sleep(for: .milliseconds(10)) }
    }
}

private func start(_ name: MemberName, at address: NetworkAddress) async throws -> Gossip {
    try await Gossip.start(
        GossipConfiguration(name: name, advertise: address, tags: ["weft": "1"]),
        snapshot: nil,
        bindAddresses: [address.ip],
        dialMark: nil,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
}

/// Runs `body` with hosts called a, b, c, ...
private func withHosts(_ count: Int, _ body: ([GossipHost]) async throws -> Void) async throws {
    var hosts: [GossipHost] = []
    do {
        for (index, name) in ["a", "b", "c"].prefix(count).enumerated() {
            let ip = IPAddress.v4(0x7f00_0002 + UInt32(index))
            // A port that was free a moment ago.
            let probe = try RawSocket.stream(.v4)
            try probe.bind(to: NetworkAddress(ip, port: 0))
            let address = try probe.localAddress()
            probe.close()
            hosts.append(GossipHost(try await start(MemberName(name), at: address), address: address))
        }
        try await body(hosts)
    } catch {
        for host in hosts { await host.gossip.stop() }
        throw error
    }
    for host in hosts { await host.gossip.stop() }
}

private func sendDatagram(_ bytes: [UInt8], to address: NetworkAddress) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    let sent = withSocketAddress(address) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    guard sent == bytes.count else { throw SocketError("sendto", errno) }
}

/// Dials, sends, and closes.
private func sendStream(_ bytes: [UInt8], to address: NetworkAddress) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    guard withSocketAddress(address, { connect(descriptor, $0, $1) }) == 0 else { throw SocketError("connect", errno) }
    guard send(descriptor, bytes, bytes.count, 0) == bytes.count else { throw SocketError("send", errno) }
}

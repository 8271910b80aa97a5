import CWeftLinux
import Glibc
import Testing
import WeftCatalog
import WeftCore

@testable import WeftHost

extension HostTests {
    @Suite("Who owns a socket")
    struct SocketDiagTests {
        struct Family: Sendable, CustomTestStringConvertible {
            let listener: String
            let asV6: Bool
            let testDescription: String
        }

        private static let families = [
            Family(listener: "127.0.0.1:8000", asV6: false, testDescription: "IPv4"),
            Family(listener: "[::1]:8000", asV6: false, testDescription: "IPv6"),
            Family(listener: "127.0.0.1:8000", asV6: true, testDescription: "v4-mapped client"),
        ]

        @Test("A connected client is found with its user, inode and cgroup", arguments: families)
        func connectedClient(_ family: Family) throws {
            let (found, expected) = try inPrivateNetwork { () -> (SocketOwner?, SocketOwner) in
                let listener = try LoopbackSocket.listener(address(family.listener))
                let client = try LoopbackSocket.connected(to: listener.local(), asV6: family.asV6)
                // A socket's user is its inode's; sockets of another user can so be had without another process.
                try check(fchown(client.descriptor, 4242, .max), "fchown")
                guard let own = try CgroupMount.find().own() else { throw TestFailure("no cgroup of our own") }
                let expected = SocketOwner(uid: UserID(4242), inode: try client.inode(), cgroup: own.id)
                return (try SocketDiag().owner(client), expected)
            }
            #expect(found == expected)
        }

        @Test("A tuple that is nobody's, or of two families, has no owner")
        func noSuchSocket() throws {
            let found = try inPrivateNetwork { () -> [SocketOwner?] in
                let diag = try SocketDiag()
                let client = ClientAddress(try address("127.0.0.1:40000"))
                return [
                    try diag.owner(client: client, destination: OriginalDestination(address("127.0.0.1:1"))),
                    try diag.owner(client: client, destination: OriginalDestination(address("[::1]:1"))),
                ]
            }
            #expect(found == [nil, nil])
        }

        @Test("A client that closed is unknown, not root", arguments: families)
        func closedClient(_ family: Family) throws {
            let isUnknown = try inPrivateNetwork { () -> Bool in
                let listener = try LoopbackSocket.listener(address(family.listener))
                let diag = try SocketDiag()
                var client: LoopbackSocket? = try LoopbackSocket.connected(to: listener.local(), asV6: family.asV6)
                let accepted = try listener.accepted()
                let (from, to) = try (ClientAddress(accepted.peer()), OriginalDestination(accepted.local()))
                guard try diag.owner(client: from, destination: to) != nil else { throw TestFailure("not found open") }
                client = nil
                // Its end now waits for ours (FIN_WAIT2) and then for stray packets (TIME_WAIT).
                guard try eventually({ try diag.owner(client: from, destination: to) == nil }) else { return false }
                _ = client
                return try withExtendedLifetime(accepted) { try diag.owner(client: from, destination: to) == nil }
            }
            #expect(isUnknown)
        }

        @Test("A listener at the port of a client that is gone is not taken for the client")
        func listenerAtClientPort() throws {
            let found = try inPrivateNetwork { () -> SocketOwner? in
                let listener = try LoopbackSocket.listener(address("127.0.0.1:8000"))
                var client: LoopbackSocket? = try LoopbackSocket.connected(to: listener.local())
                let from = ClientAddress(try client?.local() ?? listener.local())
                try client?.abortOnClose()
                client = nil
                let other = try LoopbackSocket.listener(NetworkAddress(.anyV4, port: from.address.port))
                return try withExtendedLifetime(other) {
                    try SocketDiag().owner(client: from, destination: OriginalDestination(listener.local()))
                }
            }
            #expect(found == nil)
        }

        @Test("An answer to an earlier question is dropped")
        func staleAnswers() throws {
            let found = try inPrivateNetwork { () -> (Bool, Bool) in
                let listener = try LoopbackSocket.listener(address("127.0.0.1:8000"))
                let client = try LoopbackSocket.connected(to: listener.local())
                let query = try NetlinkQuery(protocolNumber: NETLINK_SOCK_DIAG, subject: "sock_diag")
                let diag = SocketDiag(query: query)
                let first = try diag.owner(client)
                // A dump whose answers nobody has read, as after a failure half-way.
                var dump = [UInt8](repeating: 0, count: 72)
                dump.withUnsafeMutableBytes {
                    $0.storeBytes(of: 72, toByteOffset: 0, as: UInt32.self)
                    $0.storeBytes(of: UInt16(SOCK_DIAG_BY_FAMILY), toByteOffset: 4, as: UInt16.self)
                    $0.storeBytes(of: UInt16(NLM_F_REQUEST | NLM_F_DUMP), toByteOffset: 6, as: UInt16.self)
                    $0.storeBytes(of: 77_777, toByteOffset: 8, as: UInt32.self)
                    $0[16] = UInt8(AF_INET)
                    $0[17] = UInt8(IPPROTO_TCP)
                    $0.storeBytes(of: UInt32.max, toByteOffset: 20, as: UInt32.self)
                }
                try check(CInt(send(query.descriptor, dump, dump.count, 0)), "send")
                let second = try diag.owner(client)
                return (first != nil, first == second)
            }
            #expect(found == (true, true))
        }

        @Test("Listeners of both families are listed, IPv6-only ones marked, connections left out")
        func listeners() throws {
            let texts = ["127.0.0.1:8001", "0.0.0.0:8002", "[::1]:8003"]
            let (found, own) = try inPrivateNetwork { () -> (Set<ListeningSocket>, Set<ListeningSocket>) in
                let diag = try SocketDiag()
                guard let cgroup = try CgroupMount.find().own()?.id else { throw TestFailure("no cgroup of our own") }
                var sockets = try texts.map { (try LoopbackSocket.listener(address($0)), $0.hasPrefix("[")) }
                sockets.append((try LoopbackSocket.listener(address("[::]:8004"), v6Only: true), true))
                sockets.append((try LoopbackSocket.listener(address("[::]:8005"), v6Only: false), false))
                let client = try LoopbackSocket.connected(to: address("127.0.0.1:8001"))
                let own = try sockets.map { socket, isV6Only in
                    ListeningSocket(
                        address: try socket.local(),
                        owner: SocketOwner(uid: UserID(getuid()), inode: try socket.inode(), cgroup: cgroup),
                        isV6Only: isV6Only
                    )
                }
                return try withExtendedLifetime(client) { (Set(try diag.listeners()), Set(own)) }
            }
            #expect(found == own)
        }

        @Test("A list longer than one answer is complete, and lookups work after it")
        func manyListeners() throws {
            let (ports, isFound) = try inPrivateNetwork { () -> (Set<UInt16>, Bool) in
                let diag = try SocketDiag()
                let sockets = try (0..<1500).map { number in
                    try LoopbackSocket.listener(NetworkAddress(.loopbackV4, port: UInt16(20_000 + number)), backlog: 1)
                }
                let client = try LoopbackSocket.connected(to: address("127.0.0.1:20000"))
                return try withExtendedLifetime(sockets) {
                    (Set(try diag.listeners().map(\.address.port)), try diag.owner(client) != nil)
                }
            }
            #expect(ports == Set(20_000..<21_500))
            #expect(isFound)
        }

        @Test("A lookup among 10 000 other sockets: cost printed")
        func lookupCost() throws {
            try raiseDescriptorLimit(to: 12_000)
            let (found, median, dump) = try inPrivateNetwork { () -> (Int, Int, Int) in
                let diag = try SocketDiag()
                let listener = try LoopbackSocket.listener(address("127.0.0.1:8000"))
                var others: [LoopbackSocket] = []
                for _ in 0..<5000 {
                    others.append(try LoopbackSocket.connected(to: listener.local()))
                    others.append(try listener.accepted())
                }
                let clients = stride(from: 0, to: 2000, by: 2).map { others[$0] }
                let tuples = try clients.map { (ClientAddress(try $0.local()), OriginalDestination(try $0.peer())) }
                var costs: [Int] = []
                var found = 0
                for (client, destination) in tuples {
                    let start = threadCPUNanoseconds()
                    let owner = try diag.owner(client: client, destination: destination)
                    costs.append(threadCPUNanoseconds() - start)
                    if owner != nil { found += 1 }
                }
                let dumps = try (0..<50).map { _ in
                    let start = threadCPUNanoseconds()
                    _ = try diag.listeners()
                    return threadCPUNanoseconds() - start
                }
                return (found, costs.sorted()[costs.count / 2], dumps.sorted()[dumps.count / 2])
            }
            print(
                "sock_diag with 10 000 other sockets: owner \(median) ns of CPU (median), listeners \(dump) ns (median)"
            )
            #expect(found == 1000)
        }
    }
}

extension SocketDiag {
    /// The owner of a client, asked for by what the client itself says.
    func owner(_ client: LoopbackSocket) throws -> SocketOwner? {
        try owner(client: ClientAddress(client.local()), destination: OriginalDestination(client.peer()))
    }
}

/// CPU time of the calling thread.
func threadCPUNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func raiseDescriptorLimit(to wanted: UInt) throws {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    try check(getrlimit(resource, &limit), "getrlimit")
    guard limit.rlim_cur < wanted else { return }
    limit.rlim_cur = wanted
    limit.rlim_max = max(limit.rlim_max, wanted)
    try check(setrlimit(resource, &limit), "setrlimit")
}

import Glibc
import Testing
import WeftCore

@testable import WeftHost

extension HostTests {
    @Suite("What a redirected connection was")
    struct ConntrackTests {
        private static let rules = """
            table inet wefttest {
              chain out {
                type nat hook output priority -101
                tcp dport { 9000, 9001 } redirect to :15001
              }
            }
            """

        @Test(
            "The client's address and the original destination are found",
            arguments: [
                ("127.0.0.1:15001", "127.0.0.1:9000", false), ("[::1]:15001", "[::1]:9000", false),
                ("127.0.0.1:15001", "127.0.0.1:9000", true), ("127.0.0.1:15001", "240.1.2.3:9000", false),
            ]
        )
        func redirected(_ listensOn: String, _ dialled: String, _ asV6: Bool) throws {
            let (found, client, owner) = try inPrivateNetwork {
                () -> (Original?, NetworkAddress, SocketOwner?) in
                try run("nft", Self.rules)
                try run("ip", "route", "add", "240.0.0.0/8", "dev", "lo")
                let listener = try LoopbackSocket.listener(address(listensOn))
                let client = try LoopbackSocket.connected(to: address(dialled), asV6: asV6)
                let accepted = try listener.accepted()
                let found = try Conntrack().original(listener: accepted.local(), peer: accepted.peer()).map(
                    Original.init
                )
                // The two lookups together are how a connection gets its owner.
                let owner = try found.flatMap { try SocketDiag().owner(client: $0.client, destination: $0.destination) }
                return (found, try client.local(), owner)
            }
            #expect(found?.client.address == client)
            #expect(try found?.destination.address == address(dialled))
            #expect(owner?.uid == UserID(getuid()))
        }

        @Test("Two connections that look alike after the redirect are told apart, though a peer's port was changed")
        func rewrittenPort() throws {
            let (found, peers) = try inPrivateNetwork { () -> (Set<Original?>, Set<UInt16>) in
                try run("nft", Self.rules)
                let listener = try LoopbackSocket.listener(address("127.0.0.1:15001"))
                let conntrack = try Conntrack()
                let source = try address("127.0.0.1:44444")
                let clients = try ["127.0.0.1:9000", "127.0.0.1:9001"].map {
                    try LoopbackSocket.connected(to: address($0), from: source)
                }
                let accepted = try clients.map { _ in try listener.accepted() }
                let found = try accepted.map {
                    try conntrack.original(listener: $0.local(), peer: $0.peer()).map(Original.init)
                }
                return (Set(found), Set(try accepted.map { try $0.peer().port }))
            }
            let source = ClientAddress(try address("127.0.0.1:44444"))
            #expect(
                found == [
                    Original((source, OriginalDestination(try address("127.0.0.1:9000")))),
                    Original((source, OriginalDestination(try address("127.0.0.1:9001")))),
                ]
            )
            #expect(peers.count == 2)
        }

        @Test("Nothing was redirected: the listener was dialled itself, or there is no such connection")
        func notRedirected() throws {
            let found = try inPrivateNetwork { () -> [Original?] in
                try run("nft", Self.rules)
                let listener = try LoopbackSocket.listener(address("127.0.0.1:15001"))
                let client = try LoopbackSocket.connected(to: listener.local())
                let conntrack = try Conntrack()
                return try [
                    conntrack.original(listener: listener.local(), peer: client.local()),
                    conntrack.original(listener: listener.local(), peer: address("127.0.0.1:1")),
                    conntrack.original(listener: listener.local(), peer: address("[::1]:1")),
                ].map { $0.map(Original.init) }
            }
            #expect(found == [nil, nil, nil])
        }

        @Test("The table's fill and size are told; a lookup's cost is printed")
        func usage() throws {
            let (usage, median) = try inPrivateNetwork { () -> (Pair?, Int) in
                try run("nft", Self.rules)
                let listener = try LoopbackSocket.listener(address("127.0.0.1:15001"))
                let conntrack = try Conntrack()
                var costs: [Int] = []
                for _ in 0..<500 {
                    let client = try LoopbackSocket.connected(to: address("127.0.0.1:9000"))
                    let accepted = try listener.accepted()
                    let (local, peer) = (try accepted.local(), try accepted.peer())
                    let start = threadCPUNanoseconds()
                    guard try conntrack.original(listener: local, peer: peer) != nil else {
                        throw TestFailure("no entry for \(peer)")
                    }
                    costs.append(threadCPUNanoseconds() - start)
                    withExtendedLifetime(client) {}
                }
                return (try Conntrack.usage().map(Pair.init), costs.sorted()[costs.count / 2])
            }
            print("conntrack: \(median) ns of CPU for a lookup (median)")
            #expect((usage?.count ?? 0) >= 500)
            #expect((usage?.max ?? 0) >= (usage?.count ?? 0))
        }

        struct Original: Hashable, Sendable {
            let client: ClientAddress
            let destination: OriginalDestination

            init(_ pair: (ClientAddress, OriginalDestination)) { (client, destination) = pair }
        }

        struct Pair: Sendable {
            let count: Int
            let max: Int
        }
    }
}

import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Programs that know nothing of weft work as they did, and each connection is shown with who made it.
    @Suite struct TrafficTests {
        /// Port 80 of nginx on another host, and the same from the other side, over both families.
        @Test(arguments: [false, true])
        func webPagesAreServedBothWays(overIPv6: Bool) async throws {
            try await withWeft { hosts in
                let (weft, plain) = (hosts[0], hosts[1])
                try await weft.startNginx()
                try await plain.startNginx()
                func address(_ host: TestHost) -> String { overIPv6 ? "[\(host.address6)]" : host.address4 }

                let page = try await weft.run(
                    as: .init("shop.service", "curl -sS --max-time 10 http://\(address(plain))/", user: "nobody")
                )
                #expect(page.standardOutput == "woven\n", "\(page.standardError)")
                let outbound = try await weft.decision("the page that shop.service fetched") {
                    $0.source.unit == "shop.service"
                }
                #expect(outbound.path == "outside")
                #expect(outbound.destination == "\(address(plain)):80")
                #expect(outbound.source.uid == 65534)
                #expect(outbound.source.tenant == "system")
                #expect(outbound.ending == "completed")
                #expect(outbound.bytesOut > 50 && outbound.bytesIn > 200)

                try await waitUntil("nginx is seen") {
                    try await weft.services().contains { $0.unit == "nginx.service" }
                }
                let answer = try await plain.run("curl", "-sS", "--max-time", "10", "http://\(address(weft))/")
                #expect(answer.standardOutput == "woven\n")
                let inbound = try await weft.decision("the page that nginx served") { $0.path == "inbound" }
                #expect(inbound.service == "nginx")
                #expect(inbound.destination == "\(address(weft)):80")
                #expect(inbound.source.unit == nil)
                #expect(inbound.source.address.contains(overIPv6 ? plain.address6 : plain.address4))
                let log = try await weft.read("/var/log/nginx/access.log")
                #expect(
                    log.hasPrefix("\(overIPv6 ? plain.address6 : plain.address4) "),
                    "the application sees its client"
                )
            }
        }

        @Test func postgresqlIsSpokenBothWays() async throws {
            try await withWeft { hosts in
                for host in hosts { try await host.startPostgreSQL() }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let answer = try await client.run(
                        as: .init(
                            "report.service",
                            "psql -At -h \(server.address4) -p 5544 -U mesh postgres -c 'select sum(g) from generate_series(1, 100000) g'",
                            user: "nobody"
                        )
                    )
                    #expect(answer.standardOutput == "5000050000\n", "\(answer.standardError)")
                }
                let outbound = try await hosts[0].decision("the query out") { $0.source.unit == "report.service" }
                #expect(outbound.destination == "\(hosts[1].address4):5544")
                let inbound = try await hosts[0].decision("the query in") { $0.path == "inbound" }
                #expect(inbound.service == "postgresql")
            }
        }

        @Test func sshIsNeverCapturedInEitherDirection() async throws {
            try await withWeft { hosts in
                for host in hosts {
                    try await host.shell(
                        """
                        ssh-keygen -A >/dev/null
                        install -d -m 700 /root/.ssh
                        [ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
                        printf 'StrictHostKeyChecking no\\nUserKnownHostsFile /dev/null\\nLogLevel ERROR\\n' >/root/.ssh/config
                        """
                    )
                    try await host.start("ssh.service", listeningOn: 22)
                }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let key = try await client.read("/root/.ssh/id_ed25519.pub")
                    try await server.write(key, to: "/root/.ssh/authorized_keys", mode: "600")
                    let answer = try await client.run("ssh", "-o", "ConnectTimeout=10", server.address4, "hostname")
                    #expect(answer.text == server.name)
                }
                let seen = try await hosts[0].decisions().filter { $0.destination.hasSuffix(":22") }
                #expect(seen == [])
                #expect(try await hosts[0].services().allSatisfy { $0.port != 22 })
            }
        }

        /// A GiB each way, started on either side, arrives bit for bit, and its bytes are counted exactly.
        @Test(arguments: ["download", "upload"])
        func aGibibyteArrivesUnharmed(_ direction: String) async throws {
            let size = 1 << 30
            try await withWeft { hosts in
                for host in hosts { try await host.serveTraffic() }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let report = try await client.client(
                        "\(direction) \(server.address4) 9000 \(size)",
                        timeout: .seconds(180)
                    )
                    #expect(report.same == true)
                }
                let outbound = try await hosts[0].decision("the transfer out") { $0.source.unit == "client.service" }
                let inbound = try await hosts[0].decision("the transfer in") { $0.path == "inbound" }
                for decision in [outbound, inbound] {
                    let request = "x\(size)\n".utf8.count
                    let answer = 64 + 1
                    #expect(decision.bytesOut == UInt64(direction == "upload" ? size + request : request))
                    #expect(decision.bytesIn == UInt64(direction == "upload" ? answer : size))
                    #expect(decision.ending == "completed")
                }
            }
        }

        @Test func aServerThatSpeaksFirstIsHeardAtOnce() async throws {
            try await withWeft { hosts in
                for host in hosts {
                    try await host.start(.init("mail.service", traffic("greet 2525")), listeningOn: 2525)
                }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let report = try await client.client("banner \(server.address4) 2525")
                    // Far less than any timer that waits for the client; a stalled machine is not to count.
                    #expect(try #require(report.milliseconds) < 900)
                }
            }
        }

        @Test func twoThousandKeepAliveConnectionsAreServedAtOnce() async throws {
            try await withWeft { hosts in
                for host in hosts { try await host.startNginx() }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let report = try await client.client("http \(server.address4) 80 2000 5")
                    #expect(report.connections == 2000)
                    #expect(report.failed == 0, "\(report.failures ?? [])")
                }
                try await waitUntil("all are recorded") { try await hosts[0].status().connections.total >= 4000 }
                #expect(try await hosts[0].status().connections.failed == 0)
            }
        }

        /// The client ends its direction first, then the server does; started on either side.
        @Test func eachSideMayEndItsDirectionFirst() async throws {
            let size = 300_000
            try await withWeft { hosts in
                for host in hosts {
                    try await host.serveTraffic()
                    try await host.start(.init("closer.service", traffic("close-first 9001")), listeningOn: 9001)
                }
                for (client, server) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
                    let clientFirst = try await client.client("half-close \(server.address4) 9000 \(size)")
                    #expect(clientFirst.answer == "got \(size)")
                    let serverFirst = try await client.client("read-to-end \(server.address4) 9001 \(size)")
                    #expect(serverFirst.received == 100_000)
                    try await waitUntil("the server has all that came after its own end") {
                        try await server.journal("closer.service").contains("close-first got \(size)")
                    }
                }
                for port in [9000, 9001] {
                    let decision = try await hosts[0].decision {
                        $0.path == "outside" && $0.destination.hasSuffix(":\(port)")
                    }
                    #expect(decision.ending == "completed")
                    #expect(decision.bytesOut == UInt64(port == 9000 ? size + 1 : size))
                }
            }
        }

        @Test func aClosedPortIsRefusedAtOnceAndAnAbsentHostIsUnreachable() async throws {
            try await withWeft { hosts in
                let refused = try await hosts[0].attempt(
                    "curl",
                    "-sS",
                    "--max-time",
                    "5",
                    "http://\(hosts[1].address4):4444/"
                )
                #expect(refused.exitCode != 0 && refused.exitCode != 28, "refused, not timed out")
                let refusal = try await hosts[0].decision { $0.destination == "\(hosts[1].address4):4444" }
                #expect(refusal.ending == "refused")
                #expect(refusal.side == "destination")

                let absent = try await hosts[0].attempt("curl", "-sS", "--max-time", "9", "http://10.77.0.99:80/")
                #expect(absent.exitCode != 0 && absent.exitCode != 28)
                let decision = try await hosts[0].decision { $0.destination == "10.77.0.99:80" }
                #expect(decision.ending == "unreachable")
            }
        }

        @Test(arguments: [15001, 15006])
        func aDirectConnectionToWeftsOwnPortIsRefused(_ port: Int) async throws {
            try await withWeft { hosts in
                for target in [hosts[0].address4, "[\(hosts[0].address6)]"] {
                    let outside = try await hosts[1].attempt(
                        "curl",
                        "-sS",
                        "--max-time",
                        "5",
                        "http://\(target):\(port)/"
                    )
                    #expect(outside.exitCode == 7)
                }
                for target in ["127.0.0.1", "[::1]", hosts[0].address4] {
                    let inside = try await hosts[0].attempt(
                        "curl",
                        "-sS",
                        "--max-time",
                        "5",
                        "http://\(target):\(port)/"
                    )
                    #expect([7, 52, 56].contains(inside.exitCode), "refused or reset: \(inside.standardError)")
                }
                #expect(try await hosts[0].status().connections.total < 50, "no loop")
            }
        }

        @Test func aReaderThatStallsCostsNoMemory() async throws {
            try await withWeft { hosts in
                try await hosts[1].start(.init("flood.service", traffic("flood 9002")), listeningOn: 9002)
                let before = try await hosts[0].status().memoryBytes
                for number in 1...20 {
                    try await hosts[0].start(
                        .init("stall\(number).service", traffic("stall \(hosts[1].address4) 9002 600"))
                    )
                }
                try await waitUntil("all stall") { try await hosts[0].connections().count >= 20 }
                var last: UInt64 = 0
                try await waitUntil("nothing moves any more", every: .milliseconds(300)) {
                    let sum = try await hosts[0].connections().reduce(0) { $0 + $1.bytesIn }
                    defer { last = sum }
                    return sum > 0 && sum == last
                }
                let growth = Int64(try await hosts[0].status().memoryBytes) - Int64(before)
                print("measured: 20 stalled readers of a fast writer: \(growth / 1024) KiB more resident memory")
                #expect(growth < 20 * 1024 * 1024)
            }
        }

        /// Tenants follow slices; a restarted unit, with its new cgroup, is still itself.
        @Test func attributionFollowsUnitSliceAndUser() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let cases = [
                    ("till.service", "daemon", "shop.slice", "shop", 1),
                    ("shell.service", "nobody", "user-1000.slice", "user-1000", 65534),
                    ("plain.service", "root", nil, "system", 0),
                ]
                for (unit, user, slice, tenant, uid) in cases {
                    for _ in 1...2 {
                        let total = try await hosts[0].status().connections.total
                        _ = try await hosts[0].client(
                            "echo \(hosts[1].address4) 9000 hello",
                            as: unit,
                            user: user,
                            slice: slice
                        )
                        try await waitUntil("it is recorded") { try await hosts[0].status().connections.total > total }
                        let decision = try await hosts[0].decision("\(unit)'s") { $0.source.unit == unit }
                        #expect(decision.source.tenant == tenant)
                        #expect(decision.source.uid == UInt32(uid))
                        #expect(decision.bytesOut == 6 && decision.bytesIn == 5)
                    }
                }
                _ = try await hosts[0].shell(traffic("echo \(hosts[1].address4) 9000 hello"))
                #expect(try await hosts[0].decision("the host's own") { $0.source.unit == "host" }.source.uid == 0)
            }
        }

        @Test func liveConnectionsAreShownWithTheirBytes() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                let holder = try await hosts[0].startClient("hold \(hosts[1].address4) 9000 3", as: "holder.service")
                let rows = try await hosts[0].connections().filter { $0.source.unit == "holder.service" }
                #expect(rows.count == 3)
                for row in rows {
                    #expect(row.path == "outside")
                    #expect(row.destination == "\(hosts[1].address4):9000")
                    #expect(row.bytesOut == 6 && row.bytesIn == 5)
                    #expect(row.ageSeconds >= 0)
                    #expect(row.source.uid == 65534)
                }
                #expect(Set(rows.map(\.id)).count == 3)
                let workload = try #require(try await hosts[0].workloads().first { $0.unit == "holder.service" })
                #expect(workload.connectionsOpen == 3)
                #expect(try await holder.end().failed == 0)
            }
        }

        @Test func servicesAppearAndGoWithinASecondOfTheirListeners() async throws {
            try await withWeft(1) { hosts in
                try await hosts[0].serveTraffic(as: "api.service", slice: "shop.slice")
                let row = try await waitFor("api is offered") {
                    try await hosts[0].services().first { $0.name == "api" }
                }
                #expect(row.unit == "api.service")
                #expect(row.tenant == "shop")
                #expect(row.port == 9000)
                #expect(row.exposed)
                #expect(!row.addresses.isEmpty)
                try await hosts[0].stop("api.service")
                try await waitUntil("api is gone") {
                    try await hosts[0].services().allSatisfy { $0.name != "api" }
                }
                try await hosts[0].start(
                    .init("private.service", "/usr/bin/python3 -m http.server --bind 127.0.0.1 8123"),
                    listeningOn: 8123
                )
                try await waitUntil("the private one is known") {
                    try await hosts[0].workloads().contains { $0.unit == "private.service" }
                }
                #expect(try await hosts[0].services().allSatisfy { $0.unit != "private.service" || !$0.exposed })
            }
        }
    }
}

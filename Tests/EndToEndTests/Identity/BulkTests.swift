import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Much through one tunnel, in every order of speaking and ending.
    @Suite struct BulkTests {
        private static let bytes = 5 << 30

        @Test func everythingArrivesWholeInEveryOrder() async throws {
            // One loop, and so one tunnel from one program to another.
            try await withIdentities(configuration: ["h1": "[proxy]\nloops = 1\n"]) { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[1].start(
                    .init("greet.service", traffic("greet 9001"), user: "daemon"),
                    listeningOn: 9001
                )
                try await hosts[1].start(
                    .init("closer.service", traffic("close-first 9002"), user: "daemon"),
                    listeningOn: 9002
                )
                try await hosts[0].waitForTunnel(to: hosts[1])
                try await waitUntil("all are known") {
                    let names = Set(try await hosts[0].services().map(\.name))
                    return names.isSuperset(of: ["echo", "greet", "closer"])
                }
                try await expectOrders(hosts)
                try await expectStalledReaderAlone(hosts)
                try await expectBulk(hosts)
            }
        }

        @Test func aThousandFirstConnectionsMakeOneHandshakePerLoop() async throws {
            try await withIdentities { hosts in
                try await hosts[1].serveTraffic()
                try await waitUntil("echo is known") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000"]
                }
                let loops = try #require(Int(try await hosts[0].run("nproc").text))
                var all: [Int] = []
                // Each caller is a stranger to its peer. One that stands still for a tenth of a second with its streams
                // open gets another tunnel, and machines do that to it; not each time.
                for caller in 1...12 {
                    let unit = "burst\(caller).service"
                    let before = try await hosts[0].handshakes()
                    let report = try await hosts[0].client("burst \(hosts[1].address4) 9000 1000", as: unit)
                    #expect(report.opened == 1000 && report.failed == 0, "\(report)")
                    let made = Int(try await hosts[0].handshakes() - before)
                    all.append(made)
                    let rows = try await hosts[0].decisions(last: 1000).filter { $0.source.unit == unit }
                    #expect(rows.count > 100 && rows.allSatisfy { $0.security == .mtls })
                    if made <= loops { break }
                }
                print(
                    "measured: handshakes for 1000 first connections on \(loops) loops, until there is one for each at most: \(all)"
                )
                #expect(all.allSatisfy { $0 >= 1 } && all.contains { $0 <= loops })
            }
        }

        private func expectOrders(_ hosts: [TestHost]) async throws {
            let address = hosts[1].address4
            let service = try #require(try await hosts[0].services().first { $0.name == "echo" })
            for (number, virtual) in service.virtualAddresses.enumerated() {
                let unit = "virtual\(number).service"
                #expect(try await hosts[0].client("echo \(virtual) 9000 hello", as: unit).answer == "hello")
                #expect(try await hosts[0].decision(of: unit).security == .mtls, "\(virtual)")
            }
            let banner = try await hosts[0].client("banner \(address) 9001")
            print("measured: a server that speaks first is heard after \(rounded(banner.milliseconds ?? 0)) ms")
            let halfClosed = try await hosts[0].client("half-close \(address) 9000 3000000")
            #expect(halfClosed.answer == "got 3000000")
            let serverFirst = try await hosts[0].client("read-to-end \(address) 9002 3000000")
            #expect(serverFirst.received == 100_000)
            try await waitUntil("the server has the whole upload after its own end") {
                try await hosts[1].journal("closer.service").contains("close-first got 3000000")
            }
            let slow = try await hosts[0].client("slow \(address) 9000")
            #expect(slow.lines == 30)
            let rows = try await waitFor("all are recorded") {
                let rows = try await hosts[0].decisions(last: 50).filter { $0.source.unit == "client.service" }
                return rows.count == 8 ? rows : nil
            }
            #expect(rows.allSatisfy { $0.security == .mtls && $0.ending == "completed" }, "\(rows)")
        }

        private func expectStalledReaderAlone(_ hosts: [TestHost]) async throws {
            let report = try await hosts[0].client("stalled \(hosts[1].address4) 9000 50 \(6 << 20)")
            print(
                "measured: 50 streams, 6 MiB each way, beside one that stalls: \(rounded(report.slowestSeconds ?? 0)) s"
            )
            #expect(report.connections == 50 && report.failed == 0, "\(report)")
        }

        /// Both ways at the same time.
        private func expectBulk(_ hosts: [TestHost]) async throws {
            let before = try await hosts[0].handshakes()
            let begun = ContinuousClock.now
            let report = try await hosts[0].client(
                "both \(hosts[1].address4) 9000 \(Self.bytes)",
                timeout: .seconds(300)
            )
            let seconds = (ContinuousClock.now - begun) / .seconds(1)
            print(
                "measured: 5 GiB each way: \(rounded(seconds)) s, \(Int(Double(Self.bytes) / seconds / 1e6)) MB/s each"
            )
            #expect(report.bytes == 2 * Self.bytes && report.same == true)
            #expect(try await hosts[0].handshakes() == before, "the tunnel that was there")
        }
    }
}

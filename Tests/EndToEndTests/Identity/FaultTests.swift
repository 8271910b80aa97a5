import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// The other host goes in mid-stream. An unanswered PING ends a tunnel: 10 s to the next one, 20 s for its answer, and
    /// a second or two for looking.
    @Suite struct FaultTests {
        private static let limit = Duration.seconds(90)

        @Test func theApplicationHearsOfItInTimeAndTheNextConnectionWorks() async throws {
            try await withIdentities { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].waitForTunnel(to: hosts[1])

                try await expectReset(hosts, "partitioned") {
                    try await hosts[1].connect(to: .nowhere)
                } mend: {
                    try await hosts[1].connect(to: .lan)
                }
                let process = try await hosts[1].mainProcess(of: "weftd.service")
                try await expectReset(hosts, "paused") {
                    try await hosts[1].run("kill", "-STOP", "\(process)")
                } mend: {
                    // systemd may have had enough of it by then.
                    _ = try await hosts[1].attempt("kill", "-CONT", "\(process)")
                }
                try await expectReset(hosts, "killed") {
                    try await hosts[1].killForGood("weftd.service")
                } mend: {
                    try await hosts[1].revive("weftd.service")
                }
                try await expectReset(hosts, "at another address", then: "10.77.0.77") {
                    try await hosts[1].shell(
                        """
                        ip addr del 10.77.0.2/24 dev eth0
                        ip addr add 10.77.0.77/24 dev eth0
                        ip route replace default via 10.77.0.254
                        """
                    )
                } mend: {
                    // weftd follows by itself.
                }
            }
        }

        @Test func theDeathOfTheWholeHostIsNoticed() async throws {
            try await withIdentities(3) { hosts in
                for host in hosts[1...] { try await host.serveTraffic() }
                for host in hosts[1...] { try await hosts[0].waitForTunnel(to: host) }
                let dead = try await hosts[0].startClient("watch \(hosts[2].address4) 9000", as: "dead.service")
                #expect(try await hosts[0].connection(of: "dead.service").security == .mtls)
                let other = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "other.service")
                let begun = ContinuousClock.now
                // A machine that dies says nothing.
                try await hosts[2].connect(to: .nowhere)
                try await hosts[2].killWhole()
                #expect(try await ["reset", "ended"].contains(dead.report(within: Self.limit).result))
                print("measured: stream to a host that is dead: reset after \(ContinuousClock.now - begun)")
                #expect(try await other.end().result == "removed", "the others have not noticed")
                let ending = try await hosts[0].ending(of: "echo \(hosts[2].address4) 9000 hello", as: "late.service")
                #expect(["ConnectionResetError", "ConnectionRefusedError"].contains(ending), "\(ending)")
                try await waitUntil("nothing of it is left", every: .milliseconds(500)) {
                    try await hosts[0].openStreams() == 0
                }
            }
        }

        /// The kernel ends every connection between the hosts, a thousand times.
        @Test func aThousandBrokenTunnelsLeaveNothing() async throws {
            // What is remembered of each is not a leak either.
            let forgetful = "[proxy]\ndecisions-max = 256\n"
            try await withIdentities(configuration: ["h1": forgetful, "h2": forgetful]) { hosts in
                try await hosts[1].serveTraffic()
                try await hosts[0].waitForTunnel(to: hosts[1])
                // What is allocated once and kept is not a leak, answering questions included.
                try await breakTunnels(hosts, 1000)
                for host in hosts { _ = try await host.openStreams() }
                let before = try await footprint(hosts)
                let begun = ContinuousClock.now
                try await breakTunnels(hosts, 1000)
                let seconds = (ContinuousClock.now - begun) / .seconds(1)
                try await waitUntil("no stream is left", every: .milliseconds(500)) {
                    for host in hosts { guard try await host.openStreams() == 0 else { return false } }
                    return true
                }
                var after = try await footprint(hosts)
                try await waitUntil("no descriptor is left", every: .seconds(1)) {
                    after = try await footprint(hosts)
                    return zip(after, before).allSatisfy { $0.descriptors <= $1.descriptors + 2 }
                }
                for (number, (new, old)) in zip(after, before).enumerated() {
                    print(
                        "measured: 1000 broken tunnels in \(rounded(seconds)) s: on h\(number + 1) "
                            + "\(new.descriptors - old.descriptors) descriptors, \((new.bytes - old.bytes) >> 10) KiB more"
                    )
                    #expect(new.bytes - old.bytes < 2 << 20)
                }
                #expect(try await hosts[0].client("echo \(hosts[1].address4) 9000 hello").answer == "hello")
            }
        }

        /// A conversation is under way; when the fault strikes, it is told so; when that is mended, the next one works.
        private func expectReset(
            _ hosts: [TestHost],
            _ fault: String,
            then address: String? = nil,
            _ strike: () async throws -> Void,
            mend: () async throws -> Void
        ) async throws {
            let watch = try await hosts[0].startClient("watch \(hosts[1].address4) 9000", as: "watch.service")
            #expect(try await hosts[0].connection(of: "watch.service").security == .mtls)
            let struck = ContinuousClock.now
            try await strike()
            let report = try await watch.report(within: Self.limit)
            #expect(["reset", "ended", "timeout"].contains(report.result), "\(fault): \(report)")
            #expect(report.result == "reset", "\(fault): \(report)")
            let noticed = ContinuousClock.now - struck
            try await mend()
            let mended = ContinuousClock.now
            try await waitUntil("it works again after it was \(fault)", every: .milliseconds(100)) {
                let dial = "echo \(address ?? hosts[1].address4) 9000 hello"
                guard try await hosts[0].ending(of: dial, as: "next.service").hasPrefix("answered") else {
                    return false
                }
                return try await hosts[0].decision(of: "next.service").security == .mtls
            }
            print("measured: peer \(fault): reset after \(noticed), works again after \(ContinuousClock.now - mended)")
        }

        private func breakTunnels(_ hosts: [TestHost], _ count: Int) async throws {
            // As root, for the kernel's sake.
            let report = try await hosts[0].client(
                "cycles \(hosts[1].address4) 9000 \(count)",
                as: "cycles.service",
                user: "root",
                timeout: .seconds(300)
            )
            #expect(report.counts == ["reset": count], "\(report)")
        }

        private func footprint(_ hosts: [TestHost]) async throws -> [(descriptors: Int, bytes: Int)] {
            var all: [(descriptors: Int, bytes: Int)] = []
            for host in hosts {
                all.append(
                    (
                        try await host.descriptors(of: "weftd.service"),
                        try await host.residentBytes(of: "weftd.service")
                    )
                )
            }
            return all
        }
    }
}

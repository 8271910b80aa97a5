import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// What weftd costs, measured on the release binaries and printed.
    @Suite struct MemoryTests {
        @Test func anIdleDaemonStaysWithinItsBudget() async throws {
            try await withWeft(1) { hosts in
                let host = hosts[0]
                for number in 1...20 {
                    try await host.start(
                        .init("s\(number).service", "/usr/bin/python3 -m http.server \(8100 + number)")
                    )
                }
                try await waitUntil("all are seen") { try await host.services().count >= 20 }
                var share = Double.infinity
                // Machines that are shared charge a process with what others took from it.
                for _ in 1...8 where share > 0.005 {
                    let before = try await host.status()
                    try await Task.sleep(for: .seconds(5))
                    let after = try await host.status()
                    let time = after.uptimeSeconds - before.uptimeSeconds
                    share = min(share, (after.cpuSeconds - before.cpuSeconds) / time)
                }
                let resident = try await residentBytes(host)
                print("measured: idle with 20 services: \(resident / 1024) KiB resident, \(share * 100) % of a core")
                #expect(resident <= 25 << 20)
                // Two answers to `weft status` are in it.
                #expect(share <= 0.005)
            }
        }

        @Test func tenThousandIdleConnectionsStayWithinTheirBudget() async throws {
            try await withWeft { hosts in
                let host = hosts[0]
                // Each takes two descriptors, and some machines do not allow even root more than 20,000.
                let limit = try await descriptorLimit(host)
                // weftd keeps a sixteenth of what it may have for itself.
                let count = min(10_000, (limit - limit / 16) / 2 - 25)
                // One source address and one destination port give 28,000 connections at most.
                try await host.run("sysctl", "-q", "-w", "net.ipv4.ip_local_port_range=2000 65000")
                try await hosts[1].serveTraffic()
                // Once through, so that what is allocated once and kept is not counted for the connections.
                _ = try await host.client("echo \(hosts[1].address4) 9000 hello")
                let before = try await residentBytes(host)
                let holder = try await host.startClient("hold \(hosts[1].address4) 9000 \(count)", as: "holder.service")
                let open = try await host.status().connections.open
                let each = (try await residentBytes(host) - before) / count
                print(
                    "measured: \(open) idle captured connections (limit of \(limit) descriptors): "
                        + "\(each) bytes of resident memory each"
                )
                #expect(open >= count)
                #expect(each <= 24 << 10)

                let lookup = try await host.metric("weft_attribution_seconds_sum")
                let lookups = try await host.metric("weft_attribution_seconds_count")
                if let lookup, let lookups, lookups > 0 {
                    print(
                        "measured: attribution with \(count) sockets open: \(lookup / lookups * 1e6) microseconds each"
                    )
                } else {
                    Issue.record("weft_attribution_seconds is not in /metrics")
                }
                let report = try await holder.end()
                #expect(report.opened == count)
                #expect(report.failed == 0, "\(report.failures ?? [])")
            }
        }

        /// What systemd could give weftd of LimitNOFILE on this machine.
        private func descriptorLimit(_ host: TestHost) async throws -> Int {
            let process = try await host.mainProcess(of: "weftd.service")
            let limits = try await host.read("/proc/\(process)/limits")
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
            return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
        }

        private func residentBytes(_ host: TestHost) async throws -> Int {
            let process = try await host.mainProcess(of: "weftd.service")
            let status = try await host.read("/proc/\(process)/status")
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            return try #require(Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" })[1])) * 1024
        }
    }
}

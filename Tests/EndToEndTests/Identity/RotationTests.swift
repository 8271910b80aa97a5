import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Certificates that live for seconds: what takes weeks elsewhere, under load, without one failed request.
    @Suite struct RotationTests {
        /// h1 holds the authority, h2 calls h3, and h4 sleeps past the end of its certificates.
        @Test func nobodyNoticesThatCertificatesAndRootsChange() async throws {
            let leaves = "leaf-lifetime = \"10s\"\n"
            let short = "[identity]\n" + leaves
            let configuration = [
                "h1": short + "intermediate-lifetime = \"1m\"\n", "h2": short, "h3": short, "h4": short,
            ]
            try await withIdentities(4, configuration: configuration) { hosts in
                try await hosts[2].serveTraffic()
                try await hosts[3].serveTraffic()
                try await hosts[1].waitForTunnel(to: hosts[2])
                try await hosts[1].waitForTunnel(to: hosts[3], as: "fourth.service")
                try await hosts[3].stop("weftd.service")
                let asleep = ContinuousClock.now

                let loop = try await hosts[1].startClient("loop \(hosts[2].address4) 9000", as: "loop.service")
                let watch = try await hosts[1].startClient("watch \(hosts[2].address4) 9000", as: "watch.service")
                try await rotateLeaves(hosts, of: "loop")
                try await Task.sleep(until: asleep + .seconds(75), clock: .continuous)
                try await expectRecovery(hosts)
                try await rotateRoot(hosts)
                let report = try await loop.end()
                print(
                    "measured: \(report.total ?? 0) requests while leaves and the root changed: \(report.counts ?? [:])"
                )
                #expect(report.counts?.keys.allSatisfy { $0 == "ok" } == true, "\(report)")
                #expect(try await watch.end().result == "removed", "a conversation outlives its certificates")
            }
        }

        /// Ten leaves one after the other; the authority is away for longer than one lives.
        private func rotateLeaves(_ hosts: [TestHost], of service: String) async throws {
            var serials: Set<String> = []
            var isAway = false
            try await waitUntil("ten rotations", within: .seconds(100), every: .milliseconds(500)) {
                for row in try await hosts[1].certificates() where row.kind == .leaf {
                    guard row.identity.hasSuffix("/sa/\(service)"), let serial = row.serial else { continue }
                    serials.insert(serial)
                    #expect(row.leftSeconds > 0 && row.failures == 0, "\(row)")
                }
                if serials.count == 3, !isAway {
                    isAway = true
                    try await hosts[0].stop("weftd.service")
                } else if serials.count >= 6, isAway {
                    isAway = false
                    try await hosts[0].start("weftd.service")
                }
                return serials.count >= 11
            }
            print("measured: \(serials.count - 1) rotations of a leaf under load, the authority away during three")
        }

        private func rotateRoot(_ hosts: [TestHost]) async throws {
            let old = try await hosts[0].authority()
            let begun = ContinuousClock.now
            try await hosts[0].run("weft", "ca", "rotate")
            try await waitUntil("every host hangs on the new root", every: .milliseconds(500)) {
                for host in hosts {
                    let authority = try await host.authority()
                    guard authority.rotation == nil, authority.roots.count == 1, authority.roots != old.roots else {
                        return false
                    }
                }
                return true
            }
            print("measured: root rotation of four hosts: \(ContinuousClock.now - begun)")
            try await waitUntil("leaves hang on it too", every: .milliseconds(500)) {
                try await hosts[1].attempt("weft", "cert").exitCode == 0
            }
        }

        /// Its intermediate has ended, and so have its leaves.
        private func expectRecovery(_ hosts: [TestHost]) async throws {
            let begun = ContinuousClock.now
            try await hosts[3].start("weftd.service")
            try await waitUntil("h4 has certificates again", every: .milliseconds(500)) {
                try await hosts[3].attempt("weft", "cert").exitCode == 0
            }
            try await hosts[1].waitForTunnel(to: hosts[3], as: "awake.service")
            try await hosts[3].waitForTunnel(to: hosts[2], as: "back.service")
            print("measured: a host that slept past its certificates' end is back after \(ContinuousClock.now - begun)")
        }
    }
}

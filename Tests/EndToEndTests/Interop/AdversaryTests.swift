import Testing
import WeftTestRig

extension EndToEnd {
    /// Who must not get in, and who got in and misbehaves; see `Programs/adversary.py`.
    @Suite struct AdversaryTests {
        private struct Handshake: Decodable { var result: String }

        @Test func whoDoesNotBelongIsRefusedAndCountedByName() async throws {
            try await Outsider.with { outsider in
                func handshake(_ name: String, _ options: String = "") async throws -> String {
                    let arguments = "adversary.py handshake \(outsider.node) \(Outsider.pki) \(name) \(options)"
                    return try await outsider.program(Handshake.self, arguments, within: .seconds(30)).result
                }
                #expect(try await handshake("outsider") == "settings")
                #expect(try await outsider.member.tunnelFailures().values.reduce(0, +) <= 1)
                let cases = [
                    ("foreign", "", "wrong-trust-domain"), ("rogue", "", "unknown-authority"),
                    ("expired", "", "expired"), ("nameless", "", "no-identity"),
                    ("outsider", "no-certificate", "handshake"), ("outsider", "tls1.2", "handshake"),
                ]
                for (name, options, reason) in cases {
                    let before = try await outsider.member.tunnelFailures()[reason, default: 0]
                    let result = try await handshake(name, options)
                    #expect(result != "settings", "\(name) \(options)")
                    try await waitUntil("\(name) \(options) is counted as \(reason)") {
                        try await outsider.member.tunnelFailures()[reason, default: 0] == before + 1
                    }
                }
                #expect(try await outsider.member.connections().isEmpty)
            }
        }

        /// What may become of a connection on which something was done that must not be.
        enum Fate: Sendable {
            /// It ends, and all streams with it.
            case ended
            /// The stream is refused, with this status or by a reset, and others go on.
            case refused(String?)
            /// One or the other.
            case endedOrRefused
            /// Nothing: it was odd, and allowed.
            case harmless
            /// A tunnel like any other.
            case opened
        }

        struct Report: Decodable {
            var opened: String?
            var alive: Bool
            var closed: Bool
            var status: String?
            var reset: Int?
            var seconds: Double
        }

        @Test func abuseHurtsNobodyElse() async throws {
            try await Outsider.with { outsider in
                let (host, member) = (outsider.host, outsider.member)
                let process = try await member.mainProcess(of: "weftd.service")
                try await outsider.startEnvoy(port: 15101, authority: "\(member.address4):9000")
                let bystander = try await host.startClient("watch 127.0.0.1 15101", as: "bystander.service")
                let arguments = "adversary.py abuse \(outsider.node) \(Outsider.pki) outsider \(member.address4):9000"
                let before = try await member.residentBytes(of: "weftd.service")
                let reports = try await outsider.program([String: Report].self, arguments, within: .seconds(180))
                #expect(Set(reports.keys) == Set(Self.fates.keys))
                for (name, report) in reports.sorted(by: { $0.key < $1.key }) {
                    #expect(report.opened == "200", "\(name): \(report)")
                    if let fate = Self.fates[name] { expect(report, fate, name) }
                }
                #expect(try await bystander.end().result == "removed", "another tunnel has noticed nothing")
                #expect(try await member.mainProcess(of: "weftd.service") == process)
                #expect(try await member.tunnelFailures()["violation", default: 0] >= 10)
                try await waitUntil("no stream is left", every: .milliseconds(500)) {
                    try await member.openStreams() == 0
                }
                let growth = try await member.residentBytes(of: "weftd.service") - before
                print("measured: \(reports.count) kinds of abuse of HTTP/2: \(growth >> 10) KiB more resident memory")
                #expect(growth < 64 << 20)
            }
        }

        private func expect(_ report: Report, _ fate: Fate, _ name: String) {
            let isRefused = report.alive && (report.status != "200" || report.reset != nil)
            switch fate {
            case .ended: #expect(report.closed && !report.alive, "\(name): \(report)")
            case .refused(let status):
                #expect(isRefused && (status == nil || report.status == status), "\(name): \(report)")
            case .endedOrRefused: #expect(report.closed || isRefused, "\(name): \(report)")
            case .harmless: #expect(report.alive, "\(name): \(report)")
            case .opened: #expect(report.alive && report.status == "200", "\(name): \(report)")
            }
        }

        private static let fates: [String: Fate] = [
            "pings": .ended, "settings": .ended, "settings-answers": .ended, "empty-data": .ended,
            "window-crumbs": .ended, "priorities": .ended, "rapid-resets": .ended, "endless-headers": .ended,
            "unknown-frames": .endedOrRefused,
            "window-overflow": .ended, "stream-window-overflow": .endedOrRefused, "window-of-nothing": .ended,
            "window-setting-too-large": .ended, "more-than-the-window": .endedOrRefused, "window-of-zero": .harmless,
            "long-headers": .ended, "packed-headers": .endedOrRefused, "long-frame": .ended,
            "frame-that-is-too-short": .ended,
            "data-nowhere": .ended, "even-stream": .ended, "older-stream": .ended, "headers-in-the-middle": .ended,
            "trailers": .endedOrRefused, "headers-on-stream-zero": .ended, "push": .ended, "not-hpack": .ended,
            "rubbish": .ended, "farewell": .harmless,
            "connect-with-a-path": .endedOrRefused, "connect-extended": .endedOrRefused,
            "connect-without-authority": .endedOrRefused, "two-authorities": .endedOrRefused,
            "two-methods": .endedOrRefused, "status-in-a-request": .endedOrRefused,
            "made-up-pseudo-header": .endedOrRefused, "pseudo-header-after-others": .endedOrRefused,
            "upper-case": .endedOrRefused, "connection-header": .endedOrRefused, "zero-bytes": .endedOrRefused,
            "get": .refused("400"), "not-an-address": .refused("400"), "loop": .refused("503"),
            "somewhere-else": .refused("400"), "loopback": .refused("400"),
            "junk-in-known-headers": .opened,
        ]
    }
}

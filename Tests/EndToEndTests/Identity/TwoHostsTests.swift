import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Two fresh hosts, one command on each: what two programs say to each other is theirs alone, and each proves who it is.
    @Suite struct TwoHostsTests {
        private static let secret = "a-word-that-only-web-and-api-know"
        private static let page = "the-page-that-only-web-gets"

        /// Types what a user types, and counts.
        private actor User {
            private(set) var commands: [String] = []

            func types(_ command: [String], on host: TestHost) async throws -> Output {
                commands.append("\(host.name): \(command.joined(separator: " "))")
                let output = try await host.attempt(command)
                guard output.succeeded else {
                    throw CommandFailure(command: command, reason: "exit code \(output.exitCode)", output: output)
                }
                return output
            }
        }

        @Test func oneCommandPerHostIsAllThatIsNeeded() async throws {
            try await withHosts(2) { hosts in
                let (web, api) = (hosts[0], hosts[1])
                try await startAPI(on: api)
                try await startWeb(on: web, calling: api)
                let before = try await hear(web, asking: 3)
                #expect(before.found[Self.secret, default: 0] >= 3, "the listener would hear it: \(before)")
                #expect(before.found[Self.page, default: 0] >= 3, "\(before)")

                let user = User()
                let install = ["\(TestHost.repositoryPath)/systemd/install", "--binaries", TestHost.binariesPath]
                let first = try await user.types(install, on: web)
                _ = try await user.types(install + ["--join", joinToken(in: first)], on: api)
                let commands = await user.commands
                #expect(commands.count <= hosts.count, "\(commands)")
                for host in hosts {
                    let settings = try await host.shell("grep -vE '^(#|\\[|$)' /etc/weft/weft.toml || true")
                    #expect(settings.lines == [], "no line of configuration")
                }

                let row = try await waitFor("web calls by mutual TLS") {
                    try await web.connections().first { $0.source.unit == "web.service" && $0.security == .mtls }
                }
                try await expectIdentities(row, seenOn: web)
                let after = try await hear(web, asking: 10)
                #expect(after.lost == 0)
                #expect(after.found == [Self.secret: 0, Self.page: 0], "\(after)")
                #expect(after.ports["80", default: 0] == 0 && after.ports["15008", default: 0] > 0, "\(after)")

                let inbound = try await waitFor("api's host says the same") {
                    try await api.connections().first { $0.path == "inbound" && $0.security == .mtls }
                }
                #expect(inbound.identity == row.identity)
                #expect(inbound.source.address.hasPrefix("\(web.address4):"), "\(inbound)")
                #expect(try await api.read("/var/log/nginx/access.log").contains(web.address4 + " "))
                try await expectPing(on: web)
                #expect(try await web.read("/var/lib/web.service/failures") == "", "web has noticed nothing")
                for host in hosts {
                    try await waitUntil("\(host.name) has no problem") { try await host.status().problems == [] }
                }
                try await expectSecrecy(on: hosts)
            }
        }

        @Test func tokensThatDoNotServeSayWhy() async throws {
            try await withHosts(3) { hosts in
                let good = try joinToken(in: try await hosts[0].installWeft())
                let second = try joinToken(in: try await hosts[1].installWeft())
                func said(_ token: String, _ host: TestHost = hosts[1]) async throws -> String {
                    let output = try await host.attempt(["weft", "join", "-"], input: token + "\n")
                    #expect(output.exitCode == 1, "\(output)")
                    return output.standardOutput + output.standardError
                }
                #expect(try await said(String(good.dropLast(9))).contains("cut off"))
                #expect(try await said(String(good.dropLast(4)) + "AAAA").contains("mistyped"))
                let expired = try await hosts[0].shell("weft token --valid 1s -o json | grep -o 'weft1_[A-Za-z0-9_-]*'")
                try await Task.sleep(for: .seconds(2))
                let late = try await said(expired.text)
                #expect(late.contains("good until"), "\(late)")

                try await hosts[1].run("weft", "join", good)
                try await hosts[2].installWeft()
                let again = try await said(good, hosts[2])
                #expect(again.contains("used"), "\(again)")
                let larger = try await said(second, hosts[0])
                #expect(larger.contains("--force"), "a mesh of two is not left by accident: \(larger)")
                try await expectPool(["h1": "alive", "h2": "alive"], seenBy: hosts[..<2].map { .weft($0) })
            }
        }

        // MARK: The two programs

        private func startAPI(on host: TestHost) async throws {
            try await host.write(
                """
                error_log /var/log/nginx/error.log;
                events {}
                http {
                    access_log /var/log/nginx/access.log;
                    server { listen 80; root /srv/page; }
                }
                """,
                to: "/etc/nginx/nginx.conf"
            )
            let filling = [String](repeating: Self.page, count: 2000).joined(separator: " ")
            try await host.write(filling, to: "/srv/page/index.html")
            try await host.run("mkdir", "-p", "/var/log/nginx")
            try await host.start(.init("api.service", "/usr/sbin/nginx -g 'daemon off;'"), listeningOn: 80)
        }

        /// A loop of curl that dials a real address. Slow enough to be seen while it reads.
        private func startWeb(on host: TestHost, calling api: TestHost) async throws {
            let loop = """
                #!/bin/bash
                cd /var/lib/web.service
                while :; do
                    if curl -sS --fail --max-time 20 --limit-rate 200k -o /dev/null -H 'x-secret: \(Self.secret)' \\
                        http://\(api.address4)/index.html 2>>failures; then printf . >>requests; fi
                done
                """
            try await host.write(loop, to: "/usr/local/bin/web", mode: "755")
            try await host.run("install", "-d", "-m", "777", "/var/lib/web.service")
            try await host.start(.init("web.service", "/usr/local/bin/web", user: "nobody"))
            try await waitUntil("web asks") { try await requests(of: host) > 0 }
        }

        private func requests(of host: TestHost) async throws -> Int {
            try await host.attempt("cat", "/var/lib/web.service/requests").standardOutput.utf8.count
        }

        /// What the wire carries while web asks so many times. One request more is waited for, as one is on its way when the listener begins.
        private func hear(_ host: TestHost, asking count: Int) async throws -> Wire.Report {
            let wire = try await Wire.listen(on: host, for: [Self.secret, Self.page])
            let start = try await requests(of: host)
            try await waitUntil("web has asked \(count) times") {
                try await requests(of: host) > start + count
            }
            return try await wire.end()
        }

        // MARK: What is expected

        private func expectIdentities(_ row: ConnectionRow, seenOn host: TestHost) async throws {
            let mesh = try await host.authority().mesh
            #expect(row.identity.source == "spiffe://\(mesh)/ns/system/sa/web")
            #expect(row.identity.destination == "spiffe://\(mesh)/ns/system/sa/api")
            #expect(row.path == "peer" && row.service == "api", "\(row)")
            let leaves = try await host.certificates().filter { $0.kind == .leaf }.map(\.identity)
            #expect(leaves.contains("spiffe://\(mesh)/ns/system/sa/web"), "\(leaves)")
        }

        private func expectPing(on host: TestHost) async throws {
            let answer = try await host.ping("web", "api")
            #expect(answer.steps.map(\.layer) == PingResponse.Layer.allCases)
            #expect(answer.steps.allSatisfy { $0.isGood }, "\(answer)")
            let text = try await host.run("weft", "ping", "web", "->", "api")
            for layer in PingResponse.Layer.allCases { #expect(text.standardOutput.contains(layer.rawValue)) }
        }

        /// No key in the journal, in arguments of processes, or in a file that others may read.
        private func expectSecrecy(on hosts: [TestHost]) async throws {
            for host in hosts {
                let traces = try await host.shell(
                    """
                    journalctl --sync
                    journalctl -q --no-pager | grep -c -E 'PRIVATE [K]EY|weft[1]_' || true
                    cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c -E 'PRIVATE [K]EY|weft[1]_' || true
                    find /var/lib/weft -type f -perm /077 | wc -l
                    """
                )
                #expect(traces.lines == ["0", "0", "0"], "\(host.name): \(traces.lines)")
            }
        }
    }
}

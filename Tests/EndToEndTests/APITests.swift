import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// The Unix socket: who may see what, and what it bears.
    @Suite struct APITests {
        @Test func anOrdinaryUserSeesOnlyItsOwnWorkloads() async throws {
            try await withWeft { hosts in
                let host = hosts[0]
                try await hosts[1].serveTraffic()
                let address = hosts[1].address4
                for (unit, user) in [("mine.service", "games"), ("theirs.service", "nobody")] {
                    _ = try await host.client("echo \(address) 9000 hello", as: unit, user: user)
                    _ = try await host.decision { $0.source.unit == unit }
                }
                func units(asUser user: String) async throws -> String {
                    try await host.run("runuser", "-u", user, "--", "weft", "decisions", "-o", "json").standardOutput
                }
                let own = try await units(asUser: "games")
                #expect(own.contains("mine.service") && !own.contains("theirs.service"))
                try await host.run("usermod", "-a", "-G", "weft", "nobody")
                let member = try await units(asUser: "nobody")
                #expect(member.contains("mine.service") && member.contains("theirs.service"), "group weft sees all")
            }
        }

        @Test func onlyRootSwitchesCapture() async throws {
            try await withWeft(1) { hosts in
                let refused = try await hosts[0].attempt("runuser", "-u", "games", "--", "weft", "off")
                #expect(refused.exitCode == 1)
                #expect(
                    refused.standardError.contains("sudo weft off"),
                    "the next command to type: \(refused.standardError)"
                )
                try await hosts[0].run("usermod", "-a", "-G", "weft", "games")
                #expect(try await hosts[0].attempt("runuser", "-u", "games", "--", "weft", "off").exitCode == 1)
                #expect(try await hosts[0].status().capture.state == .on)
            }
        }

        @Test func aThousandIdleConnectionsDoNoHarm() async throws {
            try await withWeft(1) { hosts in
                let script = """
                    import socket, time
                    held = []
                    for number in range(1000):
                        s = socket.socket(socket.AF_UNIX)
                        s.settimeout(5)
                        try:
                            s.connect("\(APIRoute.defaultSocketPath)")
                        except OSError:
                            break
                        held.append(s)
                    open("/run/idle-ready", "w").close()
                    time.sleep(600)
                    """
                try await hosts[0].write(script, to: "/srv/idle.py")
                try await hosts[0].start(.init("idle.service", "/usr/bin/python3 /srv/idle.py"))
                try await waitUntil("they are open") {
                    try await hosts[0].exists("/run/idle-ready")
                }
                for _ in 1...10 { #expect(try await hosts[0].status().capture.state == .on) }
                try await hosts[0].stop("idle.service")
                #expect(try await hosts[0].status().memoryBytes < 64 << 20)
            }
        }

        /// Requests that no client would send, and one that never ends: the socket answers or closes, the daemon goes on.
        @Test func malformedRequestsAreTurnedAway() async throws {
            try await withWeft(1) { hosts in
                let process = try await hosts[0].mainProcess(of: "weftd.service")
                let script = """
                    import os, socket, time
                    requests = [
                        b"\\\\0" * 4096, b"GET", b"GET / HTTP/9.9\\r\\n\\r\\n", b"BREW /v1/status HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n",
                        b"GET /v1/none HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n", b"GET /v1/decisions?last=-1 HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n",
                        b"GET /v1/decisions?last=99999999999999999999 HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n",
                        b"GET /" + b"a" * 1000000 + b" HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n",
                        b"GET /v1/status HTTP/1.1\\r\\n" + b"X: y\\r\\n" * 100000 + b"\\r\\n",
                        b"POST /v1/capture/off HTTP/1.1\\r\\nHost: weft\\r\\nContent-Length: 999999999999\\r\\n\\r\\n",
                        b"GET /v1/status HTTP/1.1\\r\\nHost: weft\\r\\nContent-Length: -1\\r\\n\\r\\n", os.urandom(100000),
                    ]
                    for request in requests:
                        s = socket.socket(socket.AF_UNIX)
                        s.settimeout(2)
                        s.connect("\(APIRoute.defaultSocketPath)")
                        try:
                            s.sendall(request)
                            answer = s.recv(200)
                        except OSError:
                            answer = b""
                        status = answer.split(b" ")[1][:3] if answer.startswith(b"HTTP/") else b"closed"
                        print(status.decode())
                        s.close()
                    slow = socket.socket(socket.AF_UNIX)
                    slow.connect("\(APIRoute.defaultSocketPath)")
                    for byte in b"GET /v1/status":
                        slow.send(bytes([byte]))
                        time.sleep(0.01)
                    """
                try await hosts[0].write(script, to: "/srv/malformed.py")
                // Not as root: nothing of this may switch anything.
                let output = try await hosts[0].run(
                    "runuser",
                    "-u",
                    "games",
                    "--",
                    "/usr/bin/python3",
                    "/srv/malformed.py"
                )
                #expect(output.lines.count == 12)
                #expect(!output.lines.contains("200"), "\(output.standardOutput)")
                #expect(!output.lines.contains("500"), "\(output.standardOutput)")
                #expect(try await hosts[0].mainProcess(of: "weftd.service") == process)
                #expect(try await hosts[0].status().capture.state == .on)
            }
        }

        @Test func metricsArePrometheusText() async throws {
            try await withWeft { hosts in
                try await hosts[1].serveTraffic()
                _ = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello")
                _ = try await hosts[0].decision { $0.source.unit == "client.service" }
                let text = try await hosts[0].run(
                    "curl",
                    "-sS",
                    "--fail",
                    "--unix-socket",
                    APIRoute.defaultSocketPath,
                    "http://weft/metrics"
                ).standardOutput
                for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                    let words = line.split(separator: " ")
                    #expect(words.count >= 2 && Double(words[words.count - 1]) != nil, "\(line)")
                }
                #expect(text.contains("client.service"))
                #expect(text.contains("# TYPE weft_connections_total counter"))
            }
        }

        @Test func tablesAreForPeopleAndExitCodesForScripts() async throws {
            try await withWeft(1) { hosts in
                for command in [
                    "status", "services", "workloads", "connections", "decisions", "check", "version", "help",
                ] {
                    let output = try await hosts[0].attempt("weft", command)
                    #expect(
                        output.exitCode <= 1 && !output.standardOutput.isEmpty,
                        "weft \(command): \(output.standardError)"
                    )
                }
                #expect(try await hosts[0].attempt("weft", "frobnicate").exitCode == 2)
                let failed = try await hosts[0].check().filter { $0.verdict == .failed }
                #expect(failed == [])
                try await hosts[0].stop("weftd.service")
                let away = try await hosts[0].attempt("weft", "status")
                #expect(away.exitCode == 3)
                #expect(away.standardError.contains("systemctl"), "the next command to type")
            }
        }
    }
}

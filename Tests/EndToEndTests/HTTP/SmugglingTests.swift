import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONEncoder

extension EndToEnd {
    /// Request smuggling tried on servers that people have: they get no request that weft has not seen.
    @Suite struct SmugglingTests {
        private struct Server {
            var name: String
            var port: Int
            var logs: [String]
        }

        private static let servers = [
            Server(name: "nginx", port: 80, logs: ["/var/log/nginx/access.log"]),
            Server(name: "apache", port: 8080, logs: ["/var/log/apache.log"]),
            Server(name: "haproxy", port: 8090, logs: ["/var/log/haproxy.log", "/var/log/nginx/behind.log"]),
        ]

        /// What came of one stream; see `Programs/raw.py`.
        private struct Outcome: Decodable {
            var statuses: [Int]
            var ended: Bool
            /// Whether the last answer is weft's own.
            var byWeft: Bool
            /// Of the two good requests that followed it.
            var after: [Int]
        }

        @Test func noServerSeesARequestThatWeftDoesNot() async throws {
            try await withIdentities(3, members: 2) { hosts in
                let (member, host, plain) = (hosts[0], hosts[1], hosts[2])
                try await startServers(on: host)
                try await host.run("weft", "off")
                for server in Self.servers { try await measure(server, on: host, from: plain) }
                try await host.run("weft", "on")
                for server in Self.servers {
                    try await waitUntil("\(server.name) is reached by tunnel") {
                        _ = try await member.load("\(host.address4) \(server.port) 1 1 /")
                        return try await member.decision(of: "client.service").security == .mtls
                    }
                    // Past the caller's weft and the server's own, and past the server's alone.
                    for sender in [member, plain] { try await expectNothingSmuggled(to: server, on: host, by: sender) }
                }
            }
        }

        private func startServers(on host: TestHost) async throws {
            try await host.write("woven\n", to: "/srv/page/index.html")
            try await host.run("mkdir", "-p", "/var/log/nginx")
            try await host.write(Self.nginx, to: "/etc/nginx/nginx.conf")
            try await host.start("nginx.service", listeningOn: 80)
            try await host.write(Self.apache, to: "/srv/apache.conf")
            let apache = TestHost.Unit("apache.service", "/usr/sbin/apache2 -DFOREGROUND -f /srv/apache.conf")
            try await host.start(apache, listeningOn: 8080)
            try await host.write(Self.haproxy, to: "/srv/haproxy.cfg")
            let haproxy = TestHost.Unit(
                "haproxy.service",
                "/usr/sbin/haproxy -db -f /srv/haproxy.cfg",
                user: "daemon",
                settings: ["StandardOutput=append:/var/log/haproxy.log"]
            )
            try await host.start(haproxy, listeningOn: 8090)
        }

        private static let nginx = """
            user www-data;
            error_log /var/log/nginx/error.log;
            events {}
            http {
                keepalive_requests 100000;
                server { listen 80; access_log /var/log/nginx/access.log; location / { return 200 "woven\\n"; } }
                server { listen 127.0.0.1:8081; access_log /var/log/nginx/behind.log; location / { return 200 "woven\\n"; } }
            }
            """

        private static let apache = """
            ServerRoot /srv
            ServerName h2
            DefaultRuntimeDir /run
            PidFile /run/apache.pid
            User daemon
            Group daemon
            LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
            LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
            LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
            Listen 8080
            DocumentRoot /srv/page
            KeepAliveTimeout 60
            MaxKeepAliveRequests 0
            ErrorLog /var/log/apache.error
            CustomLog /var/log/apache.log "%r"
            """

        /// nginx stands behind it.
        private static let haproxy = """
            global
                log stdout format raw daemon
            defaults
                mode http
                log global
                log-format "%{+Q}r %ST"
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            frontend front
                bind :8090
                default_backend back
            backend back
                server nginx 127.0.0.1:8081

            """

        // MARK: Streams

        private enum Kind {
            case refused
            case refusedInBody
            case sound
        }

        private struct Stream {
            let kind: Kind
            let name: String
            let text: String
            let isBehindGoodOne: Bool
        }

        private static let attacks =
            (DesyncAttack.refused + DesyncAttack.tooLarge).map { (Kind.refused, $0) }
            + (DesyncAttack.refusedInBody + DesyncAttack.tooLargeInBody).map { (Kind.refusedInBody, $0) }
        private static let good = "GET /?good HTTP/1.1\r\nHost: a\r\n\r\n"
        private static let last = "GET /?good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

        /// Every attack as the first thing on a connection, and behind a good request; its number is in what it smuggles.
        private static func streams() -> [Stream] {
            var streams: [Stream] = []
            for lead in ["", good] {
                // What does not begin as HTTP is not HTTP to weft: it joins its client with a server, and nobody else's.
                for (kind, attack) in attacks where !lead.isEmpty || beginsAsHTTP(attack.stream) {
                    let text = lead + attack.stream + DesyncAttack.smuggled(streams.count + 1)
                    streams.append(.init(kind: kind, name: attack.name, text: text, isBehindGoodOne: !lead.isEmpty))
                }
                streams += DesyncAttack.sound.map {
                    let text = lead + $0.stream + last
                    return Stream(kind: .sound, name: $0.name, text: text, isBehindGoodOne: !lead.isEmpty)
                }
            }
            return streams
        }

        private static func beginsAsHTTP(_ stream: String) -> Bool {
            stream.prefixMatch(of: /[A-Z]+ [^ ]+ HTTP\//) != nil
        }

        private func send(_ texts: [String], to server: Server, on host: TestHost, by sender: TestHost, patience: Int)
            async throws -> [Outcome]
        {
            let program = "\(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/raw.py"
            let unit = TestHost.Unit(
                "client.service",
                "/usr/bin/python3 \(program) \(host.address4) \(server.port) \(patience)",
                user: "nobody"
            )
            let input = String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
            return try sender.decoded(try await sender.run(as: unit, input: input))
        }

        // MARK: With weft

        private func expectNothingSmuggled(to server: Server, on host: TestHost, by sender: TestHost) async throws {
            let streams = Self.streams()
            try await host.shell("truncate -s 0 \(server.logs.joined(separator: " "))")
            let outcomes = try await send(streams.map(\.text), to: server, on: host, by: sender, patience: 20)
            try #require(outcomes.count == streams.count)
            for (stream, outcome) in zip(streams, outcomes) {
                expect(outcome, of: stream, "\(server.name) by \(sender.name): \(stream.name): \(outcome)")
            }
            let good = streams.reduce(2 * streams.count) {
                $0 + ($1.isBehindGoodOne ? 1 : 0) + ($1.kind == .sound ? 1 : 0)
            }
            var seen = ""
            try await waitUntil("the good requests are in the log of \(server.name)") {
                seen = try await log(of: server, on: host)
                return seen.ranges(of: "/?good").count >= good * server.logs.count
            }
            #expect(seen.ranges(of: "/?good").count == good * server.logs.count, "each once, \(server.name)")
            let smuggled = Self.numbers(in: seen).map { $0 == 0 ? "a body" : streams[$0 - 1].name }
            #expect(smuggled == [], "\(server.name) by \(sender.name)")
        }

        private func expect(_ outcome: Outcome, of stream: Stream, _ comment: String) {
            #expect(outcome.ended && outcome.after == [200, 200], "\(comment)")
            let lead = stream.isBehindGoodOne ? [200] : []
            let rest = outcome.statuses.dropFirst(lead.count)
            #expect(Array(outcome.statuses.prefix(lead.count)) == lead, "\(comment)")
            switch stream.kind {
            case .refused:
                #expect(rest.count == 1 && outcome.byWeft, "\(comment)")
                #expect(rest.allSatisfy { (400..<500).contains($0) }, "\(comment)")
            // Its head was good: the server may have answered before weft saw the rest.
            case .refusedInBody: #expect(rest.count <= 1, "\(comment)")
            case .sound: #expect(rest == [200, 200], "\(comment)")
            }
        }

        // MARK: Without weft

        /// Prints which streams the server itself takes for two requests; all of them are refused by weft.
        private func measure(_ server: Server, on host: TestHost, from client: TestHost) async throws {
            let texts = Self.attacks.enumerated().map { $0.element.1.stream + DesyncAttack.smuggled($0.offset + 1) }
            let outcomes = try await send(texts, to: server, on: host, by: client, patience: 1)
            #expect(outcomes.filter(\.byWeft).isEmpty)
            let numbers = Self.numbers(in: try await log(of: server, on: host))
            let names = numbers.map { Self.attacks[$0 - 1].1.name }.joined(separator: ", ")
            print(
                "measured: without weft, \(server.name) takes \(numbers.count) of \(texts.count) streams for two: \(names)"
            )
        }

        // MARK: Logs

        private func log(of server: Server, on host: TestHost) async throws -> String {
            try await host.attempt(["cat"] + server.logs).standardOutput
        }

        /// Smuggled requests in a log, each once.
        private static func numbers(in log: String) -> [Int] {
            Set(log.matches(of: /\/smug\/(\d+)/).compactMap { Int($0.1) }).sorted()
        }
    }
}

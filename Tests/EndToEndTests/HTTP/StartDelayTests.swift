import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Programs that do not speak HTTP work as they did, and weft's look at what they speak costs them no time.
    @Suite struct StartDelayTests {
        private struct Server {
            /// Of its unit.
            var name: String
            var port: Int
            /// What the client says first, in hexadecimal digits; nothing where the server greets.
            var first = ""
            /// A client's whole conversation, and what it prints on success.
            var conversation: String
            var answer: String
        }

        private func servers(on host: TestHost) -> [Server] {
            let place = host.address4
            // Protocol 3.0, user=mesh, database=postgres; answered with the first byte of an authentication request.
            let startup =
                "0000002500030000" + "7573657200" + "6d65736800" + "646174616261736500" + "706f73746772657300" + "00"
            let query = "'select sum(g) from generate_series(1, 100000) g'"
            let table = "create table numbers select seq from seq_1_to_100000; select sum(seq) from numbers"
            return [
                Server(
                    name: "postgresql",
                    port: 5544,
                    first: startup,
                    conversation: "psql -At -h \(place) -p 5544 -U mesh postgres -c \(query)",
                    answer: "5000050000"
                ),
                Server(
                    name: "redis",
                    port: 6379,
                    first: "2a310d0a24340d0a50494e470d0a",
                    conversation: start("redis \(place) 6379"),
                    answer: #"{"stored": "+OK", "same": true}"#
                ),
                Server(
                    name: "mariadb",
                    port: 3306,
                    conversation:
                        "mariadb --no-defaults -N -h \(place) -u mesh mesh -e '\(table)'",
                    answer: "5000050000"
                ),
                Server(name: "mail", port: 2525, conversation: start("mail \(place) 2525 woven"), answer: "{}"),
            ]
        }

        @Test func serversOfOtherProtocolsAreHeardAtOnce() async throws {
            try await withIdentities { hosts in
                let (client, host) = (hosts[0], hosts[1])
                try await startServers(on: host)
                let servers = servers(on: host)
                for server in servers {
                    try await waitUntil("\(server.name) is reached by tunnel") {
                        _ = try await delays(of: server, on: host, for: client)
                        return try await client.decision(of: "client.service").security == .mtls
                    }
                    try await expectConversation(server, on: host, by: client)
                }
                try await expectMail(on: host, from: client)
                try await measure(servers, on: host, for: client)
            }
        }

        /// In turns, as the machine may be busier in one minute than in the next one.
        private func measure(_ servers: [Server], on host: TestHost, for client: TestHost) async throws {
            var times: [String: [Double]] = [:]
            for _ in 0..<5 {
                for state in ["off", "on"] {
                    for each in [client, host] { try await each.run("weft", state) }
                    for server in servers {
                        times["\(server.name) \(state)", default: []] += try await delays(
                            of: server,
                            on: host,
                            for: client
                        )
                    }
                }
            }
            for server in servers {
                let through = times["\(server.name) on", default: []]
                let (with, without) = (median(through), median(times["\(server.name) off", default: []]))
                print(
                    "measured: start delay added to \(server.name) \(rounded(with - without)) ms",
                    "(\(rounded(with)) ms, directly \(rounded(without)) ms; medians of \(through.count))"
                )
            }
        }

        private func expectMail(on host: TestHost, from client: TestHost) async throws {
            let mail = try await host.shell("cat /srv/mail/box/new/*")
            #expect(mail.standardOutput.contains("Subject: woven"))
            let lines = mail.lines.filter { $0 == "woven and not torn" }
            #expect(lines.count == 10_000)
            #expect(mail.standardOutput.contains("X-Peer: ('\(client.address4)', "), "the server sees its client")
        }

        private func start(_ arguments: String) -> String {
            "/usr/bin/python3 \(TestHost.repositoryPath)/Tests/EndToEndTests/Programs/start.py \(arguments)"
        }

        /// Milliseconds from a client's connect() to the first byte of the server's.
        private func delays(of server: Server, on host: TestHost, for client: TestHost) async throws -> [Double] {
            let command = start("delay \(host.address4) \(server.port) 21 \(server.first)")
            return try client.decoded(try await client.run(as: .init("client.service", command, user: "nobody")))
        }

        private func expectConversation(_ server: Server, on host: TestHost, by client: TestHost) async throws {
            let unit = "\(server.name)-client.service"
            let output = try await client.run(as: .init(unit, server.conversation, user: "nobody"))
            #expect(output.succeeded && output.text == server.answer, "\(server.name): \(output)")
            let row = try await client.decision(of: unit)
            #expect(row.protocol == "opaque" && row.request == nil && row.security == .mtls, "\(row)")
            #expect(row.service == server.name && row.destination == "\(host.address4):\(server.port)", "\(row)")
            #expect(row.ending == "completed", "\(row)")
        }

        // MARK: Servers

        private func startServers(on host: TestHost) async throws {
            try await host.startPostgreSQL()
            let redis = "/usr/bin/redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --dir /tmp"
            try await host.start(.init("redis.service", redis, user: "daemon"), listeningOn: 6379)
            try await startMariaDB(on: host)
            try await host.run("install", "-d", "-o", "daemon", "/srv/mail")
            let mail = "/usr/bin/python3 -m aiosmtpd -n -l 0.0.0.0:2525 -c aiosmtpd.handlers.Mailbox /srv/mail/box"
            try await host.start(.init("mail.service", mail, user: "daemon"), listeningOn: 2525)
        }

        private func startMariaDB(on host: TestHost) async throws {
            let data = "/srv/mariadb"
            try await host.run("install", "-d", "-o", "daemon", data)
            let options = "--no-defaults --datadir=\(data)/db"
            try await host.shell("mariadb-install-db \(options) --user=daemon --skip-test-db")
            let setup = "create database mesh;\ncreate user mesh@'%';\ngrant all on mesh.* to mesh@'%';\n"
            try await host.write(setup, to: "\(data)/init.sql")
            try await host.start(
                .init(
                    "mariadb.service",
                    // Connections that only hear its greeting are errors to it.
                    """
                    /usr/sbin/mariadbd \(options) --socket=\(data)/socket --init-file=\(data)/init.sql \
                    --skip-name-resolve --max-connect-errors=1000000
                    """,
                    user: "daemon"
                ),
                listeningOn: 3306
            )
        }
    }
}

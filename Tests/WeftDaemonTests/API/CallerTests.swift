import FoundationEssentials
import Testing
import WeftAPI
import WeftCore
import WeftTestRig

@testable import WeftDaemon

extension APITests {
    /// Who asks is the kernel's word. These run as root and ask as another user through setpriv.
    @Suite("Callers")
    struct CallerTests {
        private static let nobody = UserID(65534)

        /// Sends its input to the socket and prints what comes back. Perl's base is part of every Debian.
        private static let program = """
            my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!\\n";
            local $/; print $s scalar(<STDIN>); $s->flush; $s->shutdown(1); print <$s>;
            """

        private func ask(_ method: String, _ path: String, as uid: UserID, at socket: String) async throws -> HTTPAnswer
        {
            let output = try await ShellCommand.run(
                [
                    "setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "perl", "-MIO::Socket::UNIX", "-e",
                    Self.program, socket,
                ],
                input: "\(method) \(path) HTTP/1.1\r\nHost: weft\r\n\r\n",
                timeout: .seconds(30)
            )
            let answers = HTTPAnswer.all(in: Array(output.standardOutput.utf8)).answers
            guard output.succeeded, answers.count == 1 else { throw TestFailure("\(output)") }
            return answers[0]
        }

        @Test("An ordinary user's questions are answered for its own uid")
        func ordinaryUser() async throws {
            try await RunningServer.with { server in
                let viewer = Viewer(uid: Self.nobody, seesAll: false)
                let expected: [(String, FixedReports.Call)] = [
                    ("/v1/version", .version), ("/v1/status", .status), ("/v1/services", .services(viewer)),
                    ("/v1/workloads", .workloads(viewer)), ("/v1/connections", .connections(viewer)),
                    ("/v1/decisions?last=3", .decisions(3, viewer)),
                ]
                for (path, _) in expected {
                    let answer = try await ask("GET", path, as: Self.nobody, at: server.path)
                    #expect(answer.status == 200)
                }
                #expect(server.reports.calls == expected.map(\.1))
            }
        }

        @Test(
            "What is for root or group weft is refused to an ordinary user, who is told",
            arguments: [
                (APIRoute.check, "check the host", "sudo weft check"),
                (.metrics, "read the metrics", "sudo curl --unix-socket SOCKET http://weft/metrics"),
                (.captureOn, "turn capture on", "sudo weft on"), (.captureOff, "turn capture off", "sudo weft off"),
                (.certificates, "list certificates", "sudo weft cert"), (.ca, "see the authority", "sudo weft ca"),
                (.tokens, "see tokens", "sudo weft token list"),
                (.exportCA, "take the authority's key out", "sudo weft ca export"),
            ]
        )
        func refused(_ route: APIRoute, _ what: String, _ next: String) async throws {
            try await RunningServer.with { server in
                let answer = try await ask(route.method, route.rawValue, as: Self.nobody, at: server.path)
                #expect(answer.status == 403)
                #expect(
                    answer.error
                        == ErrorResponse(
                            code: "not-allowed",
                            text: "uid 65534 may not \(what)",
                            next: next.replacing("SOCKET", with: server.path)
                        )
                )
                #expect(server.reports.calls == [])
                // The same question from root, on the same server.
                #expect(try await ask(route.method, route.rawValue, as: .root, at: server.path).status == 200)
            }
        }

        @Test(
            "Who brings something to change is refused before it is read",
            arguments: APIRoute.allCases.filter(\.expectsBody)
        )
        func mayNotChange(_ route: APIRoute) async throws {
            try await RunningServer.with { server in
                let answer = try await ask(route.method, route.rawValue, as: Self.nobody, at: server.path)
                #expect(answer.status == 403)
                #expect(answer.error?.code == "not-allowed")
                #expect(server.reports.calls == [])
            }
        }

        @Test("A number without a user is an ordinary user")
        func unknownUser() async throws {
            try await RunningServer.with { server in
                let stranger = UserID(3_999_999_999)
                let services = try await ask("GET", "/v1/services", as: stranger, at: server.path)
                #expect(services.status == 200)
                #expect(server.reports.calls == [.services(Viewer(uid: stranger, seesAll: false))])
                #expect(try await ask("GET", "/metrics", as: stranger, at: server.path).status == 403)
            }
        }

        @Test("A viewer sees its own, all-seeing ones everything, and only root changes things")
        func viewers() {
            let user = Viewer(uid: UserID(1000), seesAll: false)
            #expect(user.sees(UserID(1000)) && !user.sees(UserID(1001)) && !user.sees(.root) && !user.sees(nil))
            #expect(!user.mayChange)
            let member = Viewer(uid: UserID(1000), seesAll: true)
            #expect(member.sees(UserID(1000)) && member.sees(.root) && member.sees(nil))
            #expect(!member.mayChange)
            let root = Viewer(PeerCredentials(pid: 1, uid: 0, gid: 4711))
            #expect(root == Viewer(uid: .root, seesAll: true) && root.mayChange)
            #expect(Viewer(PeerCredentials(pid: 1, uid: 65534, gid: 65534)) == Viewer(uid: Self.nobody, seesAll: false))
        }
    }
}

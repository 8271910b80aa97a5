import FoundationEssentials
import Testing
import WeftAPI

@testable import WeftCLI

/// What the commands about other hosts ask, refuse to ask, and end with.
@Suite struct GossipCommandTests {
    @Test(
        "Each command sends what it was told, and waits as long as weftd may take",
        arguments: [
            ("peers", DaemonRequest(.peers)),
            ("peers --state left", DaemonRequest(.peers)),
            ("join db-1 10.0.0.1:7", request(.join, #"{"addresses":["db-1","10.0.0.1:7"]}"#, seconds: 25)),
            ("leave", request(.leave, "{}", seconds: 20)),
            ("leave db-9", request(.leave, #"{"node":"db-9"}"#, seconds: 20)),
            ("event deploy", request(.sendEvent, #"{"coalesce":true,"name":"deploy","payload":""}"#)),
            ("event a/b ü --no-coalesce", request(.sendEvent, #"{"coalesce":false,"name":"a/b","payload":"ü"}"#)),
            ("gossip keys list", DaemonRequest(.keys, timeout: .seconds(35))),
            ("gossip keys install \(Answers.key)", request(.installKey, #"{"key":"\#(Answers.key)"}"#, seconds: 35)),
            ("gossip keys use \(Answers.key)", request(.useKey, #"{"key":"\#(Answers.key)"}"#, seconds: 35)),
            ("gossip keys remove \(Answers.key)", request(.removeKey, #"{"key":"\#(Answers.key)"}"#, seconds: 35)),
        ]
    )
    func requests(_ line: String, _ expected: DaemonRequest) async {
        let transport = CannedTransport.always("{}")
        _ = await weft(line, transport)
        #expect(transport.asked == [expected])
    }

    @Test("A key on standard input is sent as one in the arguments is", arguments: ["install", "use", "remove"])
    func keyOnStandardInput(_ command: String) async {
        let transport = CannedTransport.always("{}")
        _ = await weft(["gossip", "keys", command, "-"], transport, input: Answers.key)
        #expect(transport.asked.map(\.body) == [Array(#"{"key":"\#(Answers.key)"}"#.utf8)])
    }

    @Test("What is no key on standard input is refused, and not repeated", arguments: [nil, "", "c2hvcnQ=", "secret?"])
    func badKeyOnStandardInput(_ input: String?) async {
        let transport = CannedTransport.always("{}")
        let run = await weft(["gossip", "keys", "install", "-"], transport, input: input)
        #expect(run.status == .usage)
        #expect(transport.asked.isEmpty)
        #expect(run.errorOutput.contains("Standard input does not begin with a line that is a key"))
        if let input, !input.isEmpty { #expect(!run.errorOutput.contains(input)) }
    }

    @Test(
        "What cannot be right is refused before weftd is asked",
        arguments: [
            "join", "join 10.0.0.300", "join db-1 db_2 -x", "join db-1:0", "join db-1:65536", "join a:b:c", "join a/b",
            "join [fd00::1", "join 1", "leave a b", "peers --state dead", "peers x", "events --last 0",
            "events --last 4097", "events --since-start --last 1", "events x", "event", "event weft:x", "event a b c",
            "event \(String(repeating: "n", count: 129))", "event n \(String(repeating: "p", count: 400))",
            "event n \(String(repeating: "ü", count: 200))", "gossip keys rotate", "gossip keys list x",
            "gossip keys install", "gossip keys install x", "gossip keys use c2hvcnQ=", "gossip keygen x",
            // Of 32 bytes, but without its padding, in another alphabet, with a bit too much at its end.
            "gossip keys use \(Answers.key.dropLast())", "gossip keys remove \(Answers.key.replacing("+", with: "-"))",
            "gossip keys use \(Answers.key.replacing("s=", with: "t="))",
            "join \(Array(repeating: "db", count: 101).joined(separator: " "))",
        ]
    )
    func refusals(_ line: String) async {
        let transport = CannedTransport.always("{}")
        let run = await weft(line, transport)
        #expect(run.status == .usage)
        #expect(run.output.isEmpty)
        #expect(run.errorOutput.contains("Usage: weft"))
        #expect(transport.asked.isEmpty)
    }

    @Test(
        "An empty name makes neither this host leave nor an event",
        arguments: [["leave", ""], ["event", ""], ["join", ""]]
    )
    func emptyNames(_ arguments: [String]) async {
        let transport = CannedTransport.always("{}")
        #expect(await weft(arguments, transport).status == .usage)
        #expect(transport.asked.isEmpty)
    }

    @Test("Names and payloads at their limits are sent")
    func limits() async {
        let sent = CannedTransport.always(#"{"done":true}"#)
        let name = String(repeating: "n", count: 128)
        #expect(await weft(["event", name, String(repeating: "p", count: 272)], sent).status == .good)
        #expect(await weft(["event", "--", "-x", "-y z\n"], sent).status == .good)
        let hundred = Array(repeating: "db", count: 100)
        #expect(await weft(["join"] + hundred, .always(Answers.joined)).status == .good)
    }

    @Test("A key that is refused is not repeated on standard error")
    func refusedKey() async {
        let run = await weft("gossip keys use c2VjcmV0", .always("{}"))
        #expect(run.errorOutput.contains("KEY has 6 bytes"))
        #expect(!run.errorOutput.contains("c2VjcmV0"))
    }

    @Test("Keys of 16, 24 and 32 bytes are taken", arguments: [16, 24, 32])
    func keySizes(_ count: Int) async {
        let key = Data(repeating: 0xfb, count: count).base64EncodedString()
        #expect(await weft("gossip keys use \(key)", .always(Answers.keysChanged)).status == .good)
    }

    @Test("keygen prints a new key of 32 bytes each time, without weftd")
    func keygen() async throws {
        let transport = CannedTransport.failing(.noSocket(socket))
        let runs = [await weft("gossip keygen", transport), await weft("gossip keygen", transport)]
        #expect(transport.asked.isEmpty)
        #expect(runs[0] != runs[1])
        for run in runs {
            #expect(run.status == .good)
            #expect(run.output.hasSuffix("=\n"))
            let key = String(run.output.dropLast())
            #expect(Data(base64Encoded: key)?.count == 32)
            #expect(await weft("gossip keys use \(key)", .always(Answers.keys)).status == .good)
        }
    }

    @Test("join ends with 1 when no host answered, and not when one did", arguments: ["table", "json"])
    func joinExit(_ format: String) async {
        #expect(await weft("join db-1 -o \(format)", .always(Answers.joined)).status == .good)
        #expect(await weft("join db-1 -o \(format)", .always(Answers.joinedNone)).status == .problem)
        #expect(await weft("join db-1 -o \(format)", .always(#"{"attempts":[],"peersAlive":1}"#)).status == .problem)
    }

    @Test("keys end with 1 when a host failed or did not answer", arguments: ["table", "json"])
    func keysExit(_ format: String) async {
        for command in ["list", "install \(Answers.key)", "use \(Answers.key)", "remove \(Answers.key)"] {
            let line = "gossip keys \(command) -o \(format)"
            #expect(await weft(line, .always(Answers.keysChanged)).status == .good)
            #expect(await weft(line, .always(Answers.keysFailed)).status == .problem)
            #expect(await weft(line, .always(Answers.keysSilent)).status == .problem)
        }
    }

    @Test("An event that weftd did not send is a problem")
    func eventExit() async {
        #expect(await weft("event deploy", .always(#"{"done":false}"#)).status == .problem)
    }

    @Test(
        "Options count before and between nested commands, too",
        arguments: ["-o json gossip keys list", "gossip -o json keys list", "gossip keys -o json list"]
    )
    func optionsAnywhere(_ line: String) async {
        let run = await weft(line, .answering(.keys, Answers.keys))
        #expect(run.status == .good)
        #expect(run.output.hasPrefix("{\n  \"failures\": [],\n"))
    }

    @Test("A list of peers in JSON keeps all tags, and fields of newer daemons")
    func peersJSON() async {
        let run = await weft("peers -o json", .answering(.peers, Answers.peers))
        #expect(run.output.contains("\"weft-port\": \"15008\""))
        #expect(run.output.contains("\"futureField\": 1.50"))
        #expect(await weft("peers --state left -o json", .answering(.peers, Answers.peersAlone)).output == "[]\n")
    }

    private static func request(_ route: APIRoute, _ body: String, seconds: Int? = nil) -> DaemonRequest {
        DaemonRequest(route, body: Array(body.utf8), timeout: seconds.map { .seconds($0) })
    }
}

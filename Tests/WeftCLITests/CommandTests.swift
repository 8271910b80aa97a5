import ArgumentParser
import Testing
import WeftAPI

@testable import WeftCLI

@Suite struct CommandTests {
    @Test(
        "A command line that is wrong ends with 2 and says so on standard error",
        arguments: [
            "sevices", "status --colour", "status extra", "decisions --last 0", "decisions --last 4097",
            "decisions --last x", "decisions --last", "status -o yaml", "completions", "completions tcsh",
            "connections --unit", "services a b", "on now", "services --endpoint",
        ]
    )
    func wrongUsage(_ line: String) async {
        let run = await weft(line, .always("{}"))
        #expect(run.status == .usage)
        #expect(run.output.isEmpty)
        #expect(run.errorOutput.contains("Usage: weft"))
    }

    @Test("A socket path that cannot be one ends with 2", arguments: ["", String(repeating: "x", count: 108), "a\0b"])
    func wrongSocket(_ path: String) async {
        let byOption = await weft(["status", "--socket", path], .always("{}"))
        #expect(byOption.status == .usage)
        #expect(byOption.errorOutput.contains("cannot be the path of a socket"))
    }

    @Test("Help is no error and goes to standard output", arguments: ["", "help", "-h", "help status", "status -h"])
    func help(_ line: String) async {
        let run = await weft(line, .failing(.noSocket(socket)))
        #expect(run.status == .good)
        #expect(run.output.contains("USAGE: weft"))
        #expect(run.errorOutput.isEmpty)
    }

    @Test("Completion scripts come for each shell, both ways", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) async {
        let byCommand = await weft("completions \(shell)", .failing(.noSocket(socket)))
        let byOption = await weft("--generate-completion-script \(shell)", .failing(.noSocket(socket)))
        #expect(byCommand == byOption)
        #expect(byCommand.status == .good)
        #expect(["connections", "peers", "gossip", "keygen", "install"].allSatisfy { byCommand.output.contains($0) })
        #expect(byCommand.output.contains("socket"))
    }

    @Test("Options count before the command as well as after it", arguments: ["-o json status", "status -o json"])
    func optionsAnywhere(_ line: String) async {
        let run = await weft(line, .answering(.status, Answers.statusGood))
        #expect(run.status == .good)
        #expect(run.output.hasPrefix("{\n  \"capture\": {\n"))
    }

    @Test("The option wins over WEFT_SOCKET, and that over the default; an empty variable is none")
    func socketChoice() throws {
        let none = try CommonOptions.parse([])
        let given = try CommonOptions.parse(["--socket", "/tmp/given"])
        #expect(try none.socketPath([:]).path == APIRoute.defaultSocketPath)
        #expect(try none.socketPath(["WEFT_SOCKET": ""]).path == APIRoute.defaultSocketPath)
        #expect(try none.socketPath(["WEFT_SOCKET": "/tmp/env"]).path == "/tmp/env")
        #expect(try given.socketPath(["WEFT_SOCKET": "/tmp/env"]).path == "/tmp/given")
    }

    @Test(
        "Each command asks for its route and takes an answer with fields that it does not know",
        arguments: [
            ("status", APIRoute.status, Answers.statusGood), ("services", .services, Answers.servicesSimple),
            ("workloads", .workloads, Answers.workloads), ("connections", .connections, Answers.connections),
            ("check", .check, Answers.checkGood), ("on", .captureOn, Answers.captureOn),
            ("off", .captureOff, Answers.captureOff), ("version", .version, #"{"version":"0.1.0","more":[]}"#),
        ]
    )
    func routes(_ command: String, _ route: APIRoute, _ body: String) async {
        let run = await weft(command, .answering(route, body))
        #expect(run.status == .good)
        #expect(run.errorOutput.isEmpty)
    }

    @Test("status tells by its exit status whether something is wrong, as a table and as JSON")
    func statusExit() async {
        for format in ["table", "json"] {
            #expect(await weft("status -o \(format)", .always(Answers.statusGood)).status == .good)
            #expect(await weft("status -o \(format)", .always(Answers.statusWarning)).status == .good)
            #expect(await weft("status -o \(format)", .always(Answers.statusFailed)).status == .problem)
        }
    }

    @Test("status is a problem when one problem is an error, though capture is on")
    func statusProblem() async {
        let body = Answers.statusWarning.replacing("warning", with: "error").replacing("off", with: "on")
        #expect(await weft("status", .always(body)).status == .problem)
    }

    @Test("check ends with 1 when a line failed, and not for warnings")
    func checkExit() async {
        for format in ["table", "json"] {
            #expect(await weft("check -o \(format)", .always(Answers.checkGood)).status == .good)
            #expect(await weft("check -o \(format)", .always(Answers.checkWarning)).status == .good)
            #expect(await weft("check -o \(format)", .always(Answers.checkMixed)).status == .problem)
            #expect(await weft("check -o \(format)", .always("[]")).status == .problem)
        }
    }

    @Test("on and off end with 1 when capture is not as asked afterwards")
    func captureExit() async {
        #expect(await weft("on", .always(Answers.captureOff)).status == .problem)
        #expect(await weft("on", .always(Answers.captureFailed)).status == .problem)
        #expect(await weft("off", .always(Answers.captureOn)).status == .problem)
        #expect(await weft("off", .always(Answers.captureOff)).status == .good)
    }

    @Test("A refusal shows weftd's text and next command, and ends with 1")
    func refusal() async {
        let run = await weft("off", .always(403, Answers.refusal))
        #expect(run.status == .problem)
        #expect(run.errorOutput == "weft: Turning capture off is for root; you are uid 1000.\nNext: sudo weft off\n")
    }

    @Test(
        "A failure without a reason still says which request failed",
        arguments: [(500, ""), (503, "busy"), (302, "{}"), (400, #"{"code":"x"}"#), (404, "[]")]
    )
    func failureWithoutReason(_ status: Int, _ body: String) async {
        let run = await weft("services", .always(status, body))
        #expect(run.status == .problem)
        #expect(run.errorOutput.contains("/v1/services"))
    }

    @Test(
        "An answer that is not JSON is told from one of another version",
        arguments: [
            ("", "is not JSON"), ("<html>", "is not JSON"), ("[1,2", "is not JSON"), ("[] []", "is not JSON"),
            ("\u{feff}[]", "is not JSON"), (String(repeating: "[", count: 100_000), "is not JSON"),
            ("{}", "the whole is of another type"), ("[{}]", "field `[0].name` is missing"),
            (Answers.servicesSimple.replacing("8080", with: "65536"), "a number or a string in it cannot be read"),
            (Answers.servicesSimple.replacing("\"api\"", with: "null"), "field `[0].name` is null"),
            (Answers.servicesSimple.replacing("true", with: "1"), "field `[0].exposed` is of another type"),
        ]
    )
    func unreadableAnswers(_ body: String, _ reason: String) async {
        let run = await weft("services", .always(body))
        #expect(run.status == .problem)
        #expect(run.output.isEmpty)
        #expect(run.errorOutput.contains(reason), "\(run.errorOutput)")
    }

    @Test("A word that a newer weftd made up is told as another version, not as a crash")
    func unknownWord() async {
        let run = await weft("check", .always(Answers.checkGood.replacing("good", with: "excellent")))
        #expect(run.status == .problem)
        #expect(run.errorOutput.contains("field `[0].verdict` has a value that is not known"))
        #expect(run.errorOutput.contains("Next: weft version"))
    }

    @Test("A filtered JSON list keeps each element as it came")
    func filteredJSON() async {
        let run = await weft("services api -o json", .always(Answers.servicesSimple))
        #expect(run.status == .good)
        #expect(run.output.contains("      1.50,\n      1e3,\n      null,\n"))
        #expect(await weft("services no -o json", .always(Answers.servicesSimple)).output == "[]\n")
    }

    @Test("A list of 20,000 connections is laid out")
    func manyConnections() async {
        let row =
            Answers.connections.dropFirst().prefix { $0 != "}" } + "}" + """
                ,"destination":"10.0.0.1:1","path":"outside","security":"plaintext","identity":{},"state":"open","bytesOut":1,
                "bytesIn":1,"ageSeconds":1}
                """
        let body = "[" + Array(repeating: String(row), count: 20_000).joined(separator: ",") + "]"
        let run = await weft("connections", .always(body))
        #expect(run.status == .good)
        #expect(run.output.utf8.count { $0 == UInt8(ascii: "\n") } == 20_001)
    }
}

import Testing
import WeftAPI

@testable import WeftCLI

/// `weft events`: where it begins, how it goes on, and how it ends.
@Suite struct EventsCommandTests {
    @Test("It reads past what is remembered, then waits for each next event, until weftd is gone")
    func following() async {
        let transport = Answers.eventsLive
        let run = await weft("events -o json", transport)
        let expected = [(0, 0), (6, 0), (7, 0), (7, 25), (8, 25), (13, 25)].map { after, wait in
            DaemonRequest(
                .events,
                query: "after=\(after)&wait=\(wait)",
                timeout: wait > 0 ? .seconds(35) : nil
            )
        }
        #expect(transport.asked == expected)
        #expect(run.status == .unreachable)
        #expect(sequences(run) == [8, 12, 13])
        #expect(run.errorOutput.contains("missed 3 events"))
        #expect(run.errorOutput.contains("there is no socket at"))
    }

    @Test(
        "It begins where it is told to",
        arguments: [
            ("--since-start", [4, 5, 6, 7, 8, 12, 13]), ("--last 1", [7, 8, 12, 13]),
            ("--last 3", [5, 6, 7, 8, 12, 13]),
            ("--last 4096", [4, 5, 6, 7, 8, 12, 13]), ("--no-follow", [4, 5, 6, 7]), ("--no-follow --last 2", [6, 7]),
            ("--no-follow --since-start", [4, 5, 6, 7]),
        ]
    )
    func beginning(_ options: String, _ expected: [Int]) async {
        let run = await weft("events -o json \(options)", Answers.eventsLive)
        #expect(sequences(run) == expected)
        #expect(run.status == (options.contains("--no-follow") ? .good : .unreachable))
    }

    @Test("A wait that ends without an event is followed by another")
    func silence() async {
        let event = #"{"sequence":5,"time":"t","kind":"peer-alive","node":"a"}"#
        // Numbers that other events had which this one does not list, so that each question differs.
        let transport = CannedTransport.events([
            (0, 0, Answers.noEvents), (0, 25, #"{"latest":4,"missed":0,"events":[]}"#),
            (4, 25, #"{"latest":5,"missed":0,"events":[\#(event)]}"#),
        ])
        let run = await weft("events -o json", transport)
        #expect(run.status == .unreachable)
        #expect(sequences(run) == [5])
        #expect(transport.asked.count == 4)
    }

    @Test("A weftd that counts from 1 again was restarted, which ends it with 3", arguments: ["--since-start", ""])
    func restarted(_ options: String) async {
        let transport = CannedTransport.events([
            (0, 0, #"{"latest":7,"missed":7,"events":[]}"#), (7, 0, #"{"latest":7,"missed":0,"events":[]}"#),
            (7, 25, #"{"latest":2,"missed":0,"events":[]}"#),
        ])
        let run = await weft("events \(options)", transport)
        #expect(run.status == .unreachable)
        #expect(run.errorOutput.contains("was restarted"))
        #expect(run.errorOutput.contains("Next: weft events --since-start"))
        #expect(run.errorOutput.contains("missed") == !options.isEmpty)
    }

    @Test("A reader that has gone away ends it, and is no failure")
    func readerGone() async {
        let run = await weft("events --since-start", Answers.eventsLive, live: RecordedOutput(writes: 1))
        #expect(run.status == .good)
        #expect(run.output.split(separator: "\n").count == 3)
    }

    @Test("Output that cannot be written ends it with 1 and says why")
    func outputFault() async {
        let full = RecordedOutput(writes: 0, then: .failed(reason: "No space left on device"))
        let run = await weft("events --since-start", Answers.eventsLive, live: full)
        #expect(run.status == .problem)
        #expect(run.errorOutput.hasSuffix("weft: writing the output failed: No space left on device.\n"))
    }

    @Test("A refusal, or an answer of another version, ends it as with other commands")
    func refusal() async {
        #expect(await weft("events", .always(403, Answers.refusal)).status == .problem)
        #expect(await weft("events", .always("{}")).errorOutput.contains("field `events` is missing"))
        #expect(await weft("events", .always(404, "")).errorOutput.contains("Next: weft version"))
    }

    @Test("Nothing that an event carries reaches the terminal as a control character")
    func hostileEvent() async {
        let text = #"\u001b[2J\n\u009b"#
        let fields = ["time", "kind", "node", "name", "payload"].map { #""\#($0)":"\#(text)""# }
        let event = #"{"sequence":1,\#(fields.joined(separator: ","))}"#
        let transport = CannedTransport.events([
            (0, 0, #"{"latest":1,"missed":0,"events":[\#(event)]}"#), (1, 0, #"{"latest":1,"missed":0,"events":[]}"#),
        ])
        let run = await weft("events --no-follow", transport)
        #expect(run.output.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
        #expect(run.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    /// The `sequence` of each line of JSON.
    private func sequences(_ run: CommandLineRun) -> [Int] {
        run.output.split(separator: "\n").map { line in
            line.firstMatch(of: /"sequence":(\d+)/).flatMap { Int($0.output.1) } ?? -1
        }
    }
}

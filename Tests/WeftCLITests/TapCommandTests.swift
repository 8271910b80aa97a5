import Testing
import WeftAPI

@testable import WeftCLI

/// `weft tap` and `weft top`: what they ask for, what they show, and how they end.
@Suite struct TapCommandTests {
    private func tapping(_ answers: [(query: String, body: String)]) -> CannedTransport {
        let answers = answers.map { query, body in
            ("/v1/tap?\(query)", Result<_, DaemonError>.success(DaemonAnswer(status: 200, body: Array(body.utf8))))
        }
        return CannedTransport(
            answers: Dictionary(uniqueKeysWithValues: answers),
            otherwise: .failure(.noSocket(socket))
        )
    }

    @Test("It asks from where it was told last, until weftd is gone")
    func following() async {
        let transport = tapping([
            ("wait=10", #"{"latest":5,"missed":0,"requests":[]}"#),
            ("wait=10&after=5", #"{"latest":7,"missed":3,"requests":[\#(Answers.failedRequest)]}"#),
            ("wait=10&after=7", #"{"latest":8,"missed":3,"requests":[]}"#),
        ])
        let run = await weft("tap", transport)
        #expect(run.status == .unreachable)
        #expect(
            run.output
                == "2026-11-23T10:00:00.000Z  web.service  api  503  connect-failed  12ms  3 tries  GET /orders\n",
            "\(run.output)"
        )
        #expect(run.errorOutput.contains("3 requests went by too fast"))
        #expect(transport.asked.count == 4)
    }

    @Test("What is wanted is asked for, with every byte that means something else in a query encoded")
    func filter() async {
        let wanted = "wait=10&source=web&service=api&path=/a%26b%20%C3%A9&status=5xx&slower=20"
        let transport = tapping([(wanted, #"{"latest":1,"missed":0,"requests":[\#(Answers.failedRequest)]}"#)])
        let arguments = [
            "tap", "--source", "web", "--service", "api", "--path", "/a&b \u{e9}", "--status", "5xx", "--slower", "20",
            "-o", "json",
        ]
        let run = await weft(arguments, transport, style: .plain, isRoot: true)
        #expect(run.output.contains(#""id":"1f""#) && run.output.filter(\.isNewline).count == 1, "\(run)")
    }

    @Test("Tables follow each other where there is no screen; what cannot be is refused")
    func top() async {
        let output = RecordedOutput(writes: 2)
        let run = await weft("top --interval 1", .answering(.stat, Answers.stat), live: output)
        #expect(run.status == .good && output.text.components("FROM") == 2)
        #expect(output.text.contains("\u{1b}") == false)
        #expect(await weft("top --interval 0", .answering(.stat, Answers.stat)).status == .usage)
        #expect(await weft("decisions xyz", .always("[]")).status == .usage)
    }
}

extension String {
    fileprivate func components(_ word: String) -> Int { ranges(of: word).count }
}

import Testing
import WeftCore

@testable import WeftProxy

@Suite struct GatewayAnswerTests {
    private let date = WallTime(millisecondsSince1970: 784_111_777_000)
    private let decision = ConnectionID(number: 0x2a)

    private func answer(_ flag: ResponseFlag, reason: String? = nil, retryAfter: Duration? = nil) -> GatewayAnswer {
        GatewayAnswer(flag, decision: decision, reason: reason, retryAfter: retryAfter)
    }

    private func text(_ answer: GatewayAnswer, isHead: Bool = false, closes: Bool = false) -> String? {
        answer.http1(to: .init(isHead: isHead, closes: closes, date: date)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theBytesOfAnAnswer() {
        let limited = answer(.rateLimited, reason: "100/s for each caller", retryAfter: .milliseconds(1500))
        let head = """
            HTTP/1.1 429 Too Many Requests\r
            server: weft\r
            date: Sun, 06 Nov 1994 08:49:37 GMT\r
            content-type: text/plain; charset=utf-8\r
            content-length: 64\r
            weft-flags: rate-limited\r
            weft-decision: 2a\r
            retry-after: 2\r

            """
        let body = "weft: 100/s for each caller (rate-limited, decision 2a)\n"
        #expect(text(limited) == head.replacing("64", with: "\(body.utf8.count)") + "\r\n" + body)
        #expect(text(limited, isHead: true) == head.replacing("64", with: "\(body.utf8.count)") + "\r\n")
    }

    @Test(arguments: ResponseFlag.allCases)
    func everyAnswerIsWellFormed(_ flag: ResponseFlag) throws {
        guard flag.httpStatus != nil else {
            #expect(text(answer(flag)) == nil)
            #expect(answer(flag).http2(to: .init(date: date)) == nil)
            #expect(answer(flag).grpc() == nil)
            return
        }
        for closes in [true, false] {
            let whole = try #require(text(answer(flag), closes: closes))
            let parts = whole.split(separator: "\r\n\r\n", omittingEmptySubsequences: false)
            try #require(parts.count == 2)
            let lines = parts[0].split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.contains("content-length: \(parts[1].utf8.count)"))
            #expect(lines.contains("connection: close") == (closes || flag.closesConnection))
            #expect(lines.contains("weft-flags: \(flag.rawValue)"))
            #expect(answer(flag).closes(.init(closes: closes, date: date)) == (closes || flag.closesConnection))
        }
    }

    @Test func whatMustNotStandInAFieldOrTheBodyIsReplaced() {
        #expect(answer(.denied, reason: "a\r\nset-cookie: x\u{0}\u{7f}ü").reason == "a??set-cookie: x????")
        #expect(answer(.denied, reason: String(repeating: "r", count: 500)).reason.utf8.count == 200)
        #expect(answer(.denied).reason == ResponseFlag.denied.reason)
        // Cut between bytes, never within what is printed for them.
        let cut = answer(.denied, reason: String(repeating: "r", count: 199) + "ü").reason
        #expect(cut == String(repeating: "r", count: 199) + "?")
    }

    @Test(arguments: [
        (Duration.zero, 1, 1), (.nanoseconds(1), 1, 1), (.milliseconds(1), 1, 1), (.microseconds(1001), 1, 2),
        (.seconds(1), 1, 1000), (.nanoseconds(1_000_000_001), 2, 1001), (.seconds(3600), 3600, 3_600_000),
        (.seconds(3_000_000), 3_000_000, 2_147_483_647),
    ])
    func retryAfterIsRoundedUp(_ wait: Duration, _ seconds: Int, _ milliseconds: Int) throws {
        let limited = answer(.rateLimited, retryAfter: wait)
        #expect(try #require(text(limited)).contains("\r\nretry-after: \(seconds)\r\n"))
        let fields = try #require(limited.grpc())
        #expect(fields.last == AnswerField("grpc-retry-pushback-ms", "\(milliseconds)"))
    }

    @Test func withoutATimeNothingIsSaidOfIt() throws {
        #expect(try #require(text(answer(.overloaded))).contains("retry-after") == false)
        #expect(try #require(answer(.overloaded).grpc()).contains { $0.name == "grpc-retry-pushback-ms" } == false)
    }

    @Test func theFieldsOfHTTP2() throws {
        let (fields, body) = try #require(answer(.draining).http2(to: .init(date: date)))
        #expect(String(decoding: body, as: UTF8.self) == "weft: weftd is stopping (draining, decision 2a)\n")
        #expect(
            fields == [
                AnswerField(":status", "503"), AnswerField("server", "weft"),
                AnswerField("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                AnswerField("content-type", "text/plain; charset=utf-8"),
                AnswerField("content-length", "\(body.count)"), AnswerField("weft-flags", "draining"),
                AnswerField("weft-decision", "2a"),
            ]
        )
        let head = try #require(answer(.draining).http2(to: .init(isHead: true, date: date)))
        #expect(head.fields == fields)
        #expect(head.body == [])
    }

    @Test func theFieldsOfGRPC() {
        #expect(
            answer(.denied, reason: "100% of \"web\" may not").grpc() == [
                AnswerField(":status", "200"), AnswerField("content-type", "application/grpc"),
                AnswerField("grpc-status", "7"), AnswerField("grpc-message", "weft: 100%25 of \"web\" may not"),
                AnswerField("server", "weft"), AnswerField("weft-flags", "denied"), AnswerField("weft-decision", "2a"),
            ]
        )
    }

    @Test func percentEncoding() {
        #expect(GatewayAnswer.percentEncoded("~ a%\n\u{7f}ü") == "~ a%25%0A%7F%C3%BC")
    }
}

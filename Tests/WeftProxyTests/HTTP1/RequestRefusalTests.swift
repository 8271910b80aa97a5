import Testing
import WeftProxy

@Suite struct RequestRefusalTests {
    /// The reason is the same however the bytes come, and nothing of the request is forwarded.
    @Test(arguments: RequestCases.refused)
    func refused(_ refused: RequestCases.Refused) {
        for pieces in Splits.all(refused.bytes) {
            #expect(MessageReader.events(pieces) == [.failed(refused.reason)], "in \(pieces.map(\.count))")
        }
    }

    /// Behind a good request as well, which is not held up.
    @Test(arguments: RequestCases.refused)
    func refusedInAPipeline(_ refused: RequestCases.Refused) {
        let good = latin1("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        let events = MessageReader.events([good + latin1("hi") + refused.bytes])
        #expect(events == [.head(good, .length(2)), .body(latin1("hi")), .end, .failed(refused.reason)])
    }

    /// Nothing of a refused request may be read as another one behind it.
    @Test(arguments: RequestCases.refused)
    func failureIsFinal(_ refused: RequestCases.Refused) {
        var scanner = RequestHeadScanner()
        #expect(throws: refused.reason) { try scanner.scan(refused.bytes.span.bytes) }
        let good = latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(throws: refused.reason) { try scanner.scan(good.span.bytes) }
    }

    @Test func statusesAreThoseOfTheRFCs() {
        let others: [FramingError: UInt16] = [
            .requestLineTooLong: 414, .headTooLarge: 431, .trailersTooLarge: 431, .unknownTransferCoding: 501,
            .unsupportedVersion: 505,
        ]
        for error in FramingError.allCases { #expect(error.status == others[error] ?? 400) }
    }

    /// Each reason that a request's head can have is in the list.
    @Test func everyReasonHasACase() {
        let elsewhere: Set<FramingError> = [
            .headTooLarge, .requestLineTooLong, .malformedStatusLine, .malformedChunkSize, .chunkTooLarge,
            .malformedChunkExtension, .tooMuchChunkOverhead, .malformedChunkEnd, .trailersTooLarge, .forbiddenTrailer,
            .unexpectedSwitch, .tooManyInterimResponses,
        ]
        #expect(Set(RequestCases.refused.map(\.reason)).union(elsewhere) == Set(FramingError.allCases))
    }

    // MARK: - Sizes

    private func filled(to size: Int, leading: String = "") -> [UInt8] {
        let start = latin1("\(leading)GET / HTTP/1.1\r\nHost: a\r\nX: ")
        return start + [UInt8](repeating: 0x61, count: size - start.count - 4) + latin1("\r\n\r\n")
    }

    @Test(arguments: [HTTP1Limits.headSize - 1, HTTP1Limits.headSize])
    func headUpToTheLimitIsTaken(size: Int) {
        let bytes = filled(to: size)
        for pieces in [[bytes], [Array(bytes[..<70]), Array(bytes[70...])], bytes.map { [$0] }] {
            #expect(MessageReader.events(pieces) == [.head(bytes, .empty), .end])
        }
    }

    @Test func headBeyondTheLimitIsRefusedOnceTheLimitIsThere() {
        for size in [1, 2, 3, 4, 5, 100_000].map({ HTTP1Limits.headSize + $0 }) {
            let bytes = filled(to: size)
            #expect(MessageReader.events([bytes]) == [.failed(.headTooLarge)])
            #expect(MessageReader.events([Array(bytes[..<HTTP1Limits.headSize])]) == [.failed(.headTooLarge)])
            #expect(MessageReader.events([Array(bytes[..<(HTTP1Limits.headSize - 1)])]) == [.truncated])
        }
    }

    @Test func emptyLineInFrontDoesNotCount() {
        let bytes = filled(to: HTTP1Limits.headSize + 2, leading: "\r\n")
        #expect(MessageReader.events([bytes]) == [.head(Array(bytes.dropFirst(2)), .empty), .end])
        #expect(
            MessageReader.events([filled(to: HTTP1Limits.headSize + 3, leading: "\r\n")]) == [.failed(.headTooLarge)]
        )
    }

    @Test func longTargetHasAReasonOfItsOwn() {
        let line = latin1("GET /") + [UInt8](repeating: 0x61, count: HTTP1Limits.headSize)
        #expect(MessageReader.events([line]) == [.failed(.requestLineTooLong)])
        #expect(MessageReader.events(line.map { [$0] }) == [.failed(.requestLineTooLong)])
    }
}

import Testing
import WeftProxy

@Suite struct BodyTests {
    private static let head = latin1("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")

    /// Framing is passed through byte by byte, and the next request begins right behind.
    @Test(arguments: ChunkCases.accepted)
    func chunksAreForwardedAsTheyCame(_ text: String) {
        let (body, next) = (latin1(text), latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        let expected: [MessageReader.Event] = [
            .head(Self.head, .chunked), .body(body), .end, .head(next, .empty), .end,
        ]
        for pieces in Splits.all(Self.head + body + next) {
            #expect(MessageReader.events(pieces) == expected, "in \(pieces.map(\.count))")
        }
    }

    /// What came before the wrong byte is the same however the bytes come.
    @Test(arguments: ChunkCases.refused)
    func chunksAreRefused(text: String, reason: FramingError) {
        let bytes = Self.head + latin1(text)
        let whole = MessageReader.events([bytes])
        #expect(whole.last == .failed(reason))
        for pieces in Splits.all(bytes) {
            #expect(MessageReader.events(pieces) == whole, "in \(pieces.map(\.count))")
        }
        var forwarded: [UInt8] = []
        if case .body(let body) = whole[1] { forwarded = body }
        #expect(latin1(text).starts(with: forwarded) && forwarded.count < text.unicodeScalars.count)
    }

    /// RFC 9112, section 7.1.1: extensions out of proportion to the data are an attack.
    @Test func longExtensionsAreRefused() {
        func events(_ chunk: String, _ count: Int) -> [MessageReader.Event] {
            MessageReader.events([Self.head, latin1(String(repeating: chunk, count: count) + "0\r\n\r\n")])
        }
        let signed =
            "400;chunk-signature=\(String(repeating: "a", count: 64))\r\n\(String(repeating: "x", count: 1024))\r\n"
        #expect(events(signed, 1000).last == .end)
        let long = "1;x=\(String(repeating: "a", count: 100))\r\nx\r\n"
        #expect(events(long, 100).last == .end)
        #expect(events(long, 400).last == .failed(.tooMuchChunkOverhead))
        let endless = "1;x=\(String(repeating: "a", count: HTTP1Limits.chunkOverhead))"
        #expect(events(endless, 1).last == .failed(.tooMuchChunkOverhead))
        #expect(events("1\r\nx\r\n", 100_000).last == .end, "small chunks are no attack")
    }

    @Test func trailersAreBounded() {
        func events(_ count: Int) -> [MessageReader.Event] {
            MessageReader.events([Self.head, latin1("0\r\nX: " + String(repeating: "a", count: count) + "\r\n\r\n")])
        }
        #expect(events(HTTP1Limits.trailerSize - 7).last == .end)
        #expect(events(HTTP1Limits.trailerSize - 6).last == .failed(.trailersTooLarge))
        #expect(events(HTTP1Limits.trailerSize * 2).last == .failed(.trailersTooLarge))
    }

    @Test func lengthIsCountedOverPieces() throws {
        var body = BodyScanner(.length(10_000_000_000))
        let piece = [UInt8](repeating: 0x30, count: 1_000_000)
        for _ in 0..<10_000 {
            #expect(!body.isComplete && !body.mayEndHere)
            var offset = 0
            try body.scan(piece.span.bytes, at: &offset)
            #expect(offset == piece.count)
        }
        #expect(body.isComplete && body.mayEndHere)
        var offset = 0
        try body.scan(piece.span.bytes, at: &offset)
        #expect(offset == 0, "what follows belongs to the next message")
    }

    @Test func largeChunkIsOneStep() throws {
        var body = BodyScanner(.chunked)
        let start = latin1("7fffffffffffffff\r\n")
        var offset = 0
        try body.scan(start.span.bytes, at: &offset)
        #expect(offset == start.count)
        let piece = [UInt8](repeating: 0, count: 1_000_000)
        offset = 0
        try body.scan(piece.span.bytes, at: &offset)
        #expect(offset == piece.count)
        #expect(body.remaining == nil)
    }

    @Test func failureIsFinal() {
        var body = BodyScanner(.chunked)
        var offset = 0
        #expect(throws: FramingError.malformedChunkSize) { try body.scan(latin1("x").span.bytes, at: &offset) }
        #expect(throws: FramingError.malformedChunkSize) { try body.scan(latin1("0\r\n\r\n").span.bytes, at: &offset) }
        #expect(offset == 0 && !body.isComplete && !body.mayEndHere)
    }

    @Test func emptyBodiesAreCompleteAtOnce() {
        #expect(BodyScanner(.empty).isComplete)
        #expect(BodyScanner(.length(0)).isComplete)
        #expect(BodyScanner(.length(7)).remaining == 7)
        #expect(BodyScanner(.empty).remaining == 0)
        #expect(BodyScanner(.untilClose).mayEndHere)
    }
}

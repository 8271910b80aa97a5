import Testing
import WeftCore
import WeftProxy

@Suite struct ProtocolDetectorTests {
    private static let start = Instant(nanoseconds: 5_000_000_000)
    private static let soon = start + .milliseconds(3)

    /// What comes of bytes that arrive in these pieces.
    private func detect(_ pieces: [[UInt8]], knowing knowledge: ProtocolKnowledge? = nil) -> Detection? {
        var (detector, bytes) = (ProtocolDetector(start: Self.start, knowing: knowledge), [UInt8]())
        for piece in pieces {
            bytes += piece
            if let found = detector.clientReceived(bytes.span.bytes, now: Self.soon) { return found }
        }
        return nil
    }

    /// However the bytes come, and whatever follows.
    @Test(arguments: DetectionCases.decided)
    func bytesTell(_ known: DetectionCases.Case) {
        let expected = Detection(known.found, by: .bytes, after: .milliseconds(3))
        for pieces in Splits.all(known.bytes) {
            #expect(detect(pieces) == expected, "in \(pieces.map(\.count))")
        }
        for more in ["x", "\0", " HTTP/1.1\r\n\r\n", String(repeating: "y", count: 2000)] {
            #expect(detect([known.bytes + latin1(more)]) == expected, "with more behind")
        }
    }

    /// Nothing that is no HTTP/1 is ever called so, also when it stops in the middle.
    @Test(arguments: DetectionCases.decided.filter { $0.found != .http1 && $0.found != .http2 })
    func partsAreNeverHTTP1(_ known: DetectionCases.Case) {
        // These begin as a request does, up to where they differ.
        let lookalikes = ["GET / ", "GET /", "DELETE /", "get "].map(latin1)
        let isLookalike = lookalikes.contains { known.bytes.starts(with: $0) }
        for end in 0..<known.bytes.count {
            var detector = ProtocolDetector(start: Self.start)
            let part = Array(known.bytes[..<end])
            let early = detector.clientReceived(part.span.bytes, now: Self.soon)
            #expect(early == nil || early?.found == .opaque)
            let found = detector.timeExpired(part.span.bytes, now: detector.deadline).found
            #expect(found != .http2 && (found != .http1 || isLookalike), "after \(end) bytes")
        }
    }

    // MARK: - What ends the wait

    private static let parts: [(text: String, likely: WireProtocol)] = [
        ("", .opaque), ("G", .opaque), ("GET", .opaque), ("GET ", .opaque), ("GET /", .http1), ("GET /a", .http1),
        ("\r\nPOST /", .http1), ("CONNECT a:80", .opaque), ("PROPFIND /", .opaque), ("GET http://a", .opaque),
        ("P", .opaque),
        ("PRI", .opaque), ("PRI * ", .opaque), ("PRI * H", .http2), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", .http2),
        ("\u{16}", .opaque),
        ("\u{16}\u{3}\u{1}\u{1}\0", .opaque), ("\u{16}\u{3}\u{1}\u{1}\0\u{1}", .tls(serverName: nil)),
        ("\r\n", .opaque),
        // ZooKeeper.
        ("RUOK", .opaque),
    ]

    @Test(arguments: parts)
    func timeDecides(text: String, likely: WireProtocol) {
        var detector = ProtocolDetector(start: Self.start)
        let bytes = latin1(text)
        #expect(detector.deadline == Self.start + .seconds(1))
        let before = Self.start + .nanoseconds(999_999_999)
        #expect(detector.clientReceived(bytes.span.bytes, now: before) == nil)
        let expected = Detection(likely, by: .time, after: .seconds(1))
        var late = detector
        #expect(late.clientReceived(bytes.span.bytes, now: detector.deadline) == expected)
        #expect(detector.timeExpired(bytes.span.bytes, now: detector.deadline) == expected)
        #expect(detector.serverReceived(now: detector.deadline) == expected, "a result stays")
        let more = bytes + latin1(" HTTP/1.1\r\n")
        #expect(detector.clientReceived(more.span.bytes, now: detector.deadline) == expected)
    }

    @Test(arguments: parts)
    func serverThatSpeaksFirstIsOpaque(text: String, likely: WireProtocol) {
        var detector = ProtocolDetector(start: Self.start)
        let bytes = latin1(text)
        #expect(detector.clientReceived(bytes.span.bytes, now: Self.start) == nil)
        let expected = Detection(.opaque, by: .serverFirst, after: .milliseconds(3))
        #expect(detector.serverReceived(now: Self.soon) == expected)
        #expect(detector.timeExpired(bytes.span.bytes, now: detector.deadline) == expected)
        #expect(detector.ended(bytes.span.bytes, now: detector.deadline) == expected)
    }

    @Test(arguments: parts)
    func endOfASideDecides(text: String, likely: WireProtocol) {
        var detector = ProtocolDetector(start: Self.start)
        let expected = Detection(likely, by: .ended, after: .milliseconds(3))
        #expect(detector.ended(latin1(text).span.bytes, now: Self.soon) == expected)
    }

    @Test func endBehindATellingByteIsNotWhatDecides() {
        var detector = ProtocolDetector(start: Self.start)
        let found = detector.ended(latin1("GET / HTTP/1.1\r\n").span.bytes, now: Self.soon)
        #expect(found == Detection(.http1, by: .bytes, after: .milliseconds(3)))
    }

    // MARK: - What is known before

    private typealias Known = (text: String, knowledge: ProtocolKnowledge, found: WireProtocol, by: Detection.Reason)

    private static let known: [Known] = [
        ("G", .declared(.http), .http1, .declared), ("PO", .declared(.http), .http1, .declared),
        ("\0\u{3}", .declared(.http), .http1, .declared), ("get x\r\n", .declared(.http), .http1, .declared),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .declared(.http), .http2, .bytes),
        ("PRI * X", .declared(.http), .http1, .declared), ("GET / HTTP/1.1\r\n", .declared(.http), .http1, .bytes),
        ("GET / HTTP/1.1\r\n", .declared(.tcp), .opaque, .declared), ("P", .declared(.tcp), .opaque, .declared),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .declared(.tls), .opaque, .declared),
        ("SELECT", .learned, .opaque, .learned), ("GET /", .learned, .http1, .learned),
        ("GET / HTTP/1.1\r\n", .learned, .http1, .bytes), ("\0", .learned, .opaque, .bytes),
    ]

    @Test(arguments: known)
    private func whatIsKnownIsNotWaitedFor(_ known: Known) {
        let expected = Detection(known.found, by: known.by, after: .milliseconds(3))
        #expect(detect([latin1(known.text)], knowing: known.knowledge) == expected)
    }

    /// What tells HTTP/2 from HTTP/1, and a client's name, is waited for all the same; nothing is said before a byte is.
    @Test(arguments: [ProtocolKnowledge.declared(.http), .declared(.tls), .declared(.tcp), .learned])
    func bytesThatMakeADifferenceAreWaitedFor(knowledge: ProtocolKnowledge) {
        #expect(detect([[]], knowing: knowledge) == nil)
        let hello = Hello(name: "a", padding: 0).bytes
        let isTLS = knowledge != .declared(.tcp)
        let expected = isTLS ? Detection(.tls(serverName: "a"), by: .bytes, after: .milliseconds(3)) : nil
        if knowledge != .learned, isTLS {
            #expect(detect(hello.map { [$0] }, knowing: knowledge) == expected)
        }
        #expect(detect([hello], knowing: knowledge)?.found == (isTLS ? .tls(serverName: "a") : .opaque))
        if knowledge == .declared(.http) { #expect(detect([latin1("PRI * HTTP/2.0\r\n")], knowing: knowledge) == nil) }
    }

    @Test(arguments: [
        ("http", DeclaredProtocol.http), ("http2", .http), ("grpc", .http), ("tls", .tls), ("tcp", .tcp), ("ftp", nil),
        ("", nil),
    ])
    func hintsOfOtherHostsAreReadWithCare(hint: String, declared: DeclaredProtocol?) {
        #expect(DeclaredProtocol(hint: hint) == declared)
    }

    @Test func vainWaitsAreLearnedAndForgotten() {
        let (place, other) = (NetworkAddress(.loopbackV4, port: 1), NetworkAddress(.loopbackV4, port: 2))
        func detection(_ found: WireProtocol, _ reason: Detection.Reason) -> Detection {
            Detection(found, by: reason, after: .seconds(1))
        }
        var learned = LearnedProtocols()
        for _ in 0..<LearnedProtocols.waitsMin {
            #expect(!learned.knows(place))
            learned.learn(detection(.opaque, .time), at: place)
            learned.learn(detection(.opaque, .serverFirst), at: other)
        }
        #expect(learned.knows(place) && !learned.knows(other))
        learned.learn(detection(.opaque, .learned), at: place)
        #expect(learned.knows(place))
        learned.learn(detection(.http1, .bytes), at: place)
        #expect(!learned.knows(place))
        // As many destinations as anybody likes.
        for port in UInt16(1)...UInt16(LearnedProtocols.entriesMax * 3) {
            for _ in 0..<LearnedProtocols.waitsMin {
                learned.learn(detection(.opaque, .limit), at: NetworkAddress(.anyV4, port: port))
            }
        }
        #expect(learned.knows(NetworkAddress(.anyV4, port: UInt16(LearnedProtocols.entriesMax * 3))))
        #expect(!learned.knows(NetworkAddress(.anyV4, port: 1)))
    }

    // MARK: - Limits

    @Test(arguments: [
        ("GET /", WireProtocol.http1), ("POST /", .http1), ("SET /", .opaque), ("PUB ", .opaque), ("SAY /", .opaque),
    ])
    func linesBeyondTheLimitAreGuessed(start: String, found: WireProtocol) {
        let bytes = latin1(start + String(repeating: "a", count: ProtocolDetector.bytesMax - start.utf8.count))
        #expect(detect([bytes.dropLast()].map(Array.init)) == nil)
        let expected = Detection(found, by: .limit, after: .milliseconds(3))
        #expect(detect([bytes]) == expected)
        #expect(detect(bytes.map { [$0] }) == expected)
        #expect(detect([bytes + latin1(" HTTP/1.1\r\n")])?.found == .http1, "the end is there as well")
    }

    /// A hello says how long it is, and is never longer than a record.
    @Test func hellosAreAwaitedBeyondTheLimit() {
        var rng = SplitMix64(seed: 3)
        for size in [1000, 4000, 16_000] {
            let bytes = Hello(name: "a", padding: size).bytes
            #expect(detect([bytes.dropLast()].map(Array.init)) == nil)
            #expect(detect(Splits.random(bytes, longest: 500, using: &rng))?.found == .tls(serverName: "a"))
        }
    }

    /// Any bytes in any pieces: one answer for all, at the limit at the latest.
    @Test func anyBytesAreDecided() {
        var rng = SplitMix64(seed: 5)
        let starts = DetectionCases.decided.map(\.bytes)
        for _ in 0..<2000 {
            var bytes = starts.randomElement(using: &rng) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &rng) {
                bytes[Int.random(in: bytes.indices, using: &rng)] = UInt8.random(in: 0...255, using: &rng)
            }
            bytes += [UInt8](repeating: 0x20, count: ProtocolDetector.bytesMax)
            let whole = detect([bytes])?.found
            #expect(whole != nil || bytes[0] == 22, "\(bytes)")
            #expect(detect(Splits.random(bytes, longest: 9, using: &rng))?.found == whole, "\(bytes)")
        }
    }
}

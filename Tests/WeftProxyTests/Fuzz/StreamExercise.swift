import WeftProxy

/// Puts one direction of a connection through the scanners, and checks what has to hold for all bytes. The tests and the
/// fuzzer (Tests/Fuzz) share it.
enum StreamExercise {
    /// A client's side, whole and in pieces. Traps when the two differ, or when bytes go lost.
    static func requests(_ bytes: [UInt8], in pieces: [[UInt8]]) {
        var reader = MessageReader()
        reader.receive(bytes)
        reader.end()
        precondition(MessageReader.events(pieces) == reader.events, "pieces show in \(reader.events)")
        checkBytes(of: reader.events, in: bytes)
        let heads = reader.events.compactMap { if case .head(let head, _) = $0 { head } else { nil } }
        for (head, text) in zip(reader.requests, heads) { check(head, text) }
    }

    /// A server's side, as the answer to requests with these methods.
    static func responses(_ bytes: [UInt8], in pieces: [[UInt8]], answering methods: [RequestMethod]) {
        let whole = MessageReader.events([bytes], answering: methods)
        precondition(MessageReader.events(pieces, answering: methods) == whole, "pieces show in \(whole)")
        checkBytes(of: whole, in: bytes)
    }

    /// Everything that is forwarded is what came, in order and without gaps.
    private static func checkBytes(of events: [MessageReader.Event], in bytes: [UInt8]) {
        var rest = bytes[...]
        func take(_ part: [UInt8]) {
            precondition(rest.starts(with: part), "\(part) is not what came")
            rest = rest.dropFirst(part.count)
        }
        for event in events {
            switch event {
            case .head(let head, _):
                if !rest.starts(with: head) { take([13, 10]) }
                take(head)
            case .body(let body): take(body)
            case .end, .failed, .truncated: break
            }
        }
    }

    /// The slices are within the head, and the head can be added to. `text` begins behind `leading`.
    private static func check(_ head: RequestHead, _ text: [UInt8]) {
        let bytes = [UInt8](repeating: 0x20, count: head.leading) + text
        precondition(bytes.count == head.length && bytes.suffix(4) == [13, 10, 13, 10])
        for slice in [
            head.methodName, head.target, head.authority, head.upgrade, head.traceParent,
            head.path(in: bytes.span.bytes),
        ]
        where !slice.isEmpty {
            precondition(head.leading <= slice.range.lowerBound && slice.range.upperBound <= head.insertionOffset)
        }
        let line = latin1("traceparent: 00-1-2-03\r\n")
        let more = bytes[head.leading..<head.insertionOffset] + line + bytes[head.insertionOffset...]
        var scanner = RequestHeadScanner()
        let again = try? scanner.scan(Array(more).span.bytes)
        guard more.count <= HTTP1Limits.headSize else { return }
        precondition(again?.framing == head.framing && again?.length == more.count && again?.hasTraceParent == true)
    }
}

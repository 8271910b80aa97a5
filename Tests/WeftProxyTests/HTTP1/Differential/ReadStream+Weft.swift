import WeftProxy

extension ReadStream {
    /// What weft makes of the pieces, up to a message behind which the connection is not read as HTTP/1 any more, and why
    /// it refused the rest.
    static func weft(
        _ pieces: [[UInt8]],
        answering methods: [RequestMethod]? = nil
    ) -> (stream: ReadStream, failure: FramingError?, isStopped: Bool) {
        var reader = MessageReader(answering: methods)
        for piece in pieces { reader.receive(piece) }
        reader.end()
        var (stream, framing, heads) = (ReadStream(), BodyFraming.empty, 0)
        for event in reader.events {
            switch event {
            case .head(let bytes, let found):
                framing = found
                stream.messages.append(Message(start: reader.start(ofHead: heads, bytes)))
                heads += 1
            case .body(let bytes):
                stream.messages[heads - 1].body = framing == .chunked ? dechunked(bytes) : bytes
            case .end:
                stream.messages[heads - 1].isComplete = true
                if reader.isLast(heads - 1) { return (stream, nil, true) }
            case .failed(let reason): return (stream, reason, false)
            case .truncated: break
            }
        }
        return (stream, nil, false)
    }

    /// The data of chunks whose form is known to be right, as far as they are there.
    private static func dechunked(_ bytes: [UInt8]) -> [UInt8] {
        var (rest, data) = (bytes[...], [UInt8]())
        while let lineEnd = rest.firstIndex(of: 10) {
            let digits = rest[..<lineEnd].prefix { $0 != 13 && $0 != UInt8(ascii: ";") }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size > 0 else { break }
            rest = rest[(lineEnd + 1)...]
            data += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return data
    }
}

extension MessageReader {
    fileprivate func start(ofHead index: Int, _ bytes: [UInt8]) -> String {
        guard !requests.isEmpty else { return "\(responses[index].status)" }
        let head = requests[index]
        func text(_ slice: HeadSlice) -> String {
            let range = slice.range
            return String(
                decoding: bytes[(range.lowerBound - head.leading)..<(range.upperBound - head.leading)],
                as: UTF8.self
            )
        }
        return "\(text(head.methodName)) \(text(head.target))"
    }

    /// llhttp takes no more behind these.
    fileprivate func isLast(_ index: Int) -> Bool {
        guard !requests.isEmpty else { return !responses[index].persists || responses[index].status == 101 }
        let head = requests[index]
        return !head.persists || head.method == .connect || head.offersUpgrade
    }
}

/// Reads the one message that the other end of a stream sends, from bytes as they arrive.
///
/// The states follow the layers from the outside in: label, then an encrypted frame or a plain type byte, then a
/// compressed object or the message itself. A frame and a compressed object are waited for as a whole; a plain
/// message is decoded piece by piece (`StreamBody`). Each byte is looked at a bounded number of times however it
/// arrives, and what is kept is bounded by `WireLimits`. A failure is final. Bytes behind the message are ignored, as
/// agents do.
package struct StreamDecoder: Sendable {
    private enum State {
        case label
        case type
        case frame(length: Int)
        case compressed(ObjectScanner)
        case body(StreamBody)
        case finished
        case failed(WireError)
    }

    /// How one step went.
    private enum Step {
        case moved
        case needsMore
        case message(StreamMessage)
    }

    private let security: WireSecurity
    private let decompressedSizeMax: Int
    private var state: State
    private var buffer = StreamBuffer()
    /// Whether the outer layer is off: another frame inside a frame, or compression inside compression, is refused.
    private var isDecrypted = false
    private var isDecompressed = false

    /// `role` is ours: an acceptor expects the label header, a dialler none in the answer.
    package init(
        role: StreamRole,
        security: WireSecurity,
        decompressedSizeMax: Int = WireLimits.streamDecompressedSize
    ) {
        self.security = security
        self.decompressedSizeMax = decompressedSizeMax
        state = role == .acceptor ? .label : .type
    }

    /// Takes bytes in and gives the message when it is complete, once. Throws when it never can be; the reason then
    /// stays.
    package mutating func receive(_ bytes: some Collection<UInt8>) throws(WireError) -> StreamMessage? {
        switch state {
        case .failed(let error): throw error
        case .finished: return nil
        default: break
        }
        do throws(WireError) {
            try buffer.append(bytes)
            return try advance()
        } catch {
            state = .failed(error)
            buffer = StreamBuffer()
            throw error
        }
    }

    /// Tells that no more bytes come. Throws unless the message was complete.
    package mutating func finish() throws(WireError) {
        switch state {
        case .finished: return
        case .failed(let error): throw error
        case .label, .type, .frame, .compressed, .body:
            state = .failed(.truncatedStream)
            throw .truncatedStream
        }
    }

    private mutating func advance() throws(WireError) -> StreamMessage? {
        while true {
            switch try step() {
            case .moved: continue
            case .needsMore:
                // What was decrypted or decompressed is all there is; the stream brings nothing more.
                guard !isDecrypted, !isDecompressed else { throw .malformedMessage }
                return nil
            case .message(let message):
                state = .finished
                buffer = StreamBuffer()
                return message
            }
        }
    }

    private mutating func step() throws(WireError) -> Step {
        switch state {
        case .label:
            guard case .complete(let length) = try Label.read(buffer.rest, expecting: security.label) else {
                return .needsMore
            }
            buffer.discard(length)
            state = .type
            return .moved
        case .type: return try readType()
        case .frame(let length): return try readFrame(length: length)
        case .compressed(let scanner): return try readCompressed(scanner)
        case .body(var body):
            // Taken out of the state, so that its arrays grow in place.
            state = .type
            defer { state = .body(body) }
            guard let message = try body.advance(&buffer) else { return .needsMore }
            return .message(message)
        case .finished, .failed: return .needsMore
        }
    }

    private mutating func readType() throws(WireError) -> Step {
        guard let type = buffer.rest.first else { return .needsMore }
        if type == MemberlistType.encrypt.rawValue, !isDecrypted, !isDecompressed { return try readFrameHeader() }
        guard isDecrypted || security.hearsClearText else { throw .notEncrypted }
        buffer.discard(1)
        if type == MemberlistType.compress.rawValue, !isDecompressed {
            state = .compressed(ObjectScanner())
        } else {
            state = .body(try StreamBody(type: type))
        }
        return .moved
    }

    /// The header stays in the buffer: it is part of what the frame authenticates.
    private mutating func readFrameHeader() throws(WireError) -> Step {
        guard !security.keyring.isEmpty else { throw .noKey }
        guard buffer.rest.count >= StreamCodec.frameHeaderSize else { return .needsMore }
        let length = buffer.rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= WireLimits.encryptedFrameSize else { throw .tooLarge }
        state = .frame(length: length)
        return .moved
    }

    private mutating func readFrame(length: Int) throws(WireError) -> Step {
        guard let frame = buffer.take(StreamCodec.frameHeaderSize + length) else { return .needsMore }
        let (header, sealed) = (frame.prefix(StreamCodec.frameHeaderSize), frame.dropFirst(StreamCodec.frameHeaderSize))
        let plain = try Encryption.open(sealed, keys: security.keyring, context: header + security.label)
        guard !plain.isEmpty else { throw .empty }
        buffer = StreamBuffer(plain)
        isDecrypted = true
        state = .type
        return .moved
    }

    private mutating func readCompressed(_ scanner: ObjectScanner) throws(WireError) -> Step {
        var scanner = scanner
        defer { if case .compressed = state { state = .compressed(scanner) } }
        guard let object = try buffer.takeObject(&scanner, atMost: WireLimits.streamCompressedSize + 64) else {
            return .needsMore
        }
        buffer = StreamBuffer(try Compression.unwrap(object, atMost: decompressedSizeMax))
        isDecompressed = true
        state = .type
        return .moved
    }
}

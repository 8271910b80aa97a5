/// Bytes of a stream that have arrived and are not used up yet.
struct StreamBuffer: Sendable {
    private var bytes: [UInt8]
    private var head = 0
    /// All that ever came in.
    private var received = 0

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    /// Throws when the stream brings more than any message may have.
    mutating func append(_ more: some Collection<UInt8>) throws(WireError) {
        received += more.count
        guard received <= WireLimits.streamSize else { throw .tooLarge }
        bytes.append(contentsOf: more)
    }

    /// What is not used up.
    var rest: ArraySlice<UInt8> { bytes[head...] }

    mutating func discard(_ count: Int) {
        head += min(count, bytes.count - head)
        // Moved only when the used part is the larger one: each byte moves at most once on average.
        if head > 4096, head > bytes.count / 2 {
            bytes.removeFirst(head)
            head = 0
        }
    }

    /// The next `count` bytes, or nil while they are not all there.
    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        let taken = rest.prefix(count)
        discard(count)
        return taken
    }

    /// The next msgpack object, at most `limit` bytes of it, or nil while it is not all there. The scanner
    /// remembers how far it has looked.
    mutating func takeObject(_ scanner: inout ObjectScanner, atMost limit: Int) throws(WireError) -> ArraySlice<UInt8>?
    {
        let isComplete: Bool
        do throws(DecodeError) { isComplete = try scanner.scan(rest) } catch { throw .malformedMessage }
        guard scanner.offset <= limit else { throw .tooLarge }
        guard isComplete else { return nil }
        return take(scanner.offset)
    }
}

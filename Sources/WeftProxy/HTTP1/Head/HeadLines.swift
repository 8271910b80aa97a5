/// Finds the lines of a head, from where it stopped the last time: each byte is searched once, however the bytes
/// arrive.
///
/// A line ends with CRLF and nothing else. Everything that is no text is refused here, so that who reads a line meets
/// only tabs, printable ASCII and bytes from 0x80 up (RFC 9110, section 5.5; RFC 9112, section 2.2).
struct HeadLines: Sendable {
    /// Where the line begins that comes next.
    private(set) var start = 0
    /// Up to where there is no end of a line.
    private var searched = 0
    /// Where the head has to be over.
    private var limit = HTTP1Limits.headSize

    /// Whether anything has come behind what was read last.
    var hasBytes: Bool { searched > start }

    /// The next line without its end; nil while that is not there. Throws `headTooLarge` once it cannot be any more.
    @inline(__always)
    mutating func next(_ bytes: RawSpan) throws(FramingError) -> Range<Int>? {
        let end = min(bytes.byteCount, limit)
        var offset = searched
        while true {
            offset = bytes.first(below: .space, or: .delete, in: offset..<end)
            guard offset < end else { break }
            let byte = bytes[offset]
            if byte == .tab {
                offset &+= 1
                continue
            }
            guard byte == .carriageReturn else { throw Self.refusal(of: byte) }
            guard offset &+ 1 < end else { break }
            guard bytes[offset &+ 1] == .lineFeed else { throw .bareCarriageReturn }
            let line = start..<offset
            start = offset &+ 2
            searched = start
            return line
        }
        searched = offset
        guard end < limit else { throw .headTooLarge }
        return nil
    }

    /// The head begins behind what has been read: that does not count.
    mutating func restart() { limit += start }

    @inline(never)
    static func refusal(of control: UInt8) -> FramingError {
        switch control {
        case .lineFeed: .bareLineFeed
        case 0: .nul
        default: .controlCharacter
        }
    }
}

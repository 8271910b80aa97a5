/// The shape of one msgpack value as its first bytes tell it: enough to step over the value without decoding it.
struct ObjectHeader {
    /// Bytes of the value itself: head, and the contents of a scalar. Arrays and maps: the head only.
    let size: Int
    /// Values that follow as elements, two for each entry of a map.
    let children: Int

    /// Reads the head at `position`. Nil when `bytes` end inside the head; throws for the one byte that msgpack leaves
    /// undefined (c1).
    init?(of bytes: ArraySlice<UInt8>, at position: Int) throws(DecodeError) {
        guard position < bytes.endIndex else { return nil }
        let byte = bytes[position]
        /// The big-endian length of `width` bytes behind the head byte.
        func length(_ width: Int) -> Int? {
            guard bytes.endIndex - position > width else { return nil }
            return bytes[(position + 1)...(position + width)].reduce(0) { $0 << 8 | Int($1) }
        }
        func scalar(lengthWidth width: Int, extra: Int = 0) -> (Int, Int)? {
            length(width).map { (1 + width + extra + $0, 0) }
        }
        let shape: (Int, Int)?
        switch byte {
        case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: shape = (1, 0)
        case 0x80...0x8f: shape = (1, 2 * Int(byte & 0x0f))
        case 0x90...0x9f: shape = (1, Int(byte & 0x0f))
        case 0xa0...0xbf: shape = (1 + Int(byte & 0x1f), 0)
        case 0xc4, 0xd9: shape = scalar(lengthWidth: 1)
        case 0xc5, 0xda: shape = scalar(lengthWidth: 2)
        case 0xc6, 0xdb: shape = scalar(lengthWidth: 4)
        case 0xc7: shape = scalar(lengthWidth: 1, extra: 1)
        case 0xc8: shape = scalar(lengthWidth: 2, extra: 1)
        case 0xc9: shape = scalar(lengthWidth: 4, extra: 1)
        case 0xcc, 0xd0: shape = (2, 0)
        case 0xcd, 0xd1: shape = (3, 0)
        case 0xca, 0xce, 0xd2: shape = (5, 0)
        case 0xcb, 0xcf, 0xd3: shape = (9, 0)
        case 0xd4...0xd8: shape = (2 + 1 << (Int(byte) - 0xd4), 0)
        case 0xdc: shape = length(2).map { (3, $0) }
        case 0xdd: shape = length(4).map { (5, $0) }
        case 0xde: shape = length(2).map { (3, 2 * $0) }
        case 0xdf: shape = length(4).map { (5, 2 * $0) }
        default: throw .unexpected(byte: byte, at: position)
        }
        guard let shape else { return nil }
        (size, children) = shape
    }
}

/// Finds the end of one msgpack object in bytes that are still arriving.
///
/// It keeps its place between calls and never looks at a byte twice (a head of up to 5 bytes excepted), so an object
/// that arrives byte by byte costs no more than one that arrives at once.
struct ObjectScanner: Sendable {
    /// Where the next value begins, counted from the object's first byte; may lie beyond the bytes seen so far. When
    /// the scan is complete, the object's length.
    private(set) var offset = 0
    /// Values that have not begun yet. At most 2^33 for each byte seen: it cannot overflow.
    private var pending = 1

    /// Whether the object, which begins with `bytes`, ends within them.
    mutating func scan(_ bytes: ArraySlice<UInt8>) throws(DecodeError) -> Bool {
        while pending > 0 {
            guard let header = try ObjectHeader(of: bytes, at: bytes.startIndex + offset) else { return false }
            offset += header.size
            pending += header.children - 1
        }
        return offset <= bytes.count
    }
}

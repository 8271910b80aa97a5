/// Reading single bytes and searching for some of them, eight at a time. Every access is checked against the bounds.
extension RawSpan {
    @inline(__always)
    subscript(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// The first offset in a range whose byte is less than `bound` or equal to `other`, or the range's end. `bound` is at
    /// most 0x80, and `other` less.
    ///
    /// Both tests of a word are the classic ones ("Bit Twiddling Hacks", Anderson): they may mark bytes behind the first
    /// match in vain, as the borrow of a subtraction travels upwards, but never one before it, and only the lowest mark
    /// is used.
    @inline(__always)
    func first(below bound: UInt8, or other: UInt8, in range: Range<Int>) -> Int {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var offset = range.lowerBound
        while offset &+ 8 <= range.upperBound {
            let word = UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let difference = word ^ (ones &* UInt64(other))
            let less = (word &- ones &* UInt64(bound)) & ~word
            let equal = (difference &- ones) & ~difference
            let marks = (less | equal) & highs
            if marks != 0 { return offset &+ marks.trailingZeroBitCount / 8 }
            offset &+= 8
        }
        while offset < range.upperBound {
            let byte = self[offset]
            if byte < bound || byte == other { return offset }
            offset &+= 1
        }
        return offset
    }

    /// The first offset in a range that has this byte.
    func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        let offset = first(below: 0, or: byte, in: range)
        return offset < range.upperBound ? offset : nil
    }

    /// A range without the spaces and tabs at its ends (RFC 9110, section 5.6.3: OWS).
    @inline(__always)
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isBlank { start &+= 1 }
        while start < end, self[end &- 1].isBlank { end &-= 1 }
        return start..<end
    }

    /// Whether a range holds this text, which is in lower case, whatever the case of the letters in the range.
    @inline(__always)
    func matches(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        var offset = range.lowerBound
        for byte in expected {
            if self[offset].lowercased != byte { return false }
            offset &+= 1
        }
        return true
    }

    /// Whether two ranges hold the same text but for the case of letters.
    func isSameText(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { self[$0].lowercased == self[$1].lowercased }
    }
}

/// The classes of bytes that HTTP/1.1 tells apart.
extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let delete: UInt8 = 0x7f

    /// A space or a tab.
    @inline(__always)
    var isBlank: Bool { self == .space || self == .tab }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// The value of a hexadecimal digit.
    @inline(__always)
    var hexValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The letter in lower case; anything else as it is.
    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// A character of a token (RFC 9110, section 5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always)
    var isToken: Bool { isIn(0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe) }

    /// Whether the bit of this byte is set in a set of ASCII characters: 0x00...0x3f, then 0x40...0x7f.
    @inline(__always)
    func isIn(_ low: UInt64, _ high: UInt64) -> Bool {
        self < 0x80 && ((self < 0x40 ? low : high) &>> UInt64(self & 0x3f)) & 1 == 1
    }
}

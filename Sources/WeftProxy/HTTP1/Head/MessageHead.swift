/// Some bytes of a head, as offsets from the first byte that its scanner was given.
package struct HeadSlice: Sendable, Hashable {
    /// Heads are smaller than 4 GiB, and 32 bits keep them in few cache lines.
    private let start: UInt32
    private let end: UInt32

    package static let none = HeadSlice(0..<0)

    @inline(__always)
    package init(_ range: Range<Int>) {
        start = UInt32(truncatingIfNeeded: range.lowerBound)
        end = UInt32(truncatingIfNeeded: range.upperBound)
    }

    package var range: Range<Int> { Int(start)..<Int(end) }

    package var isEmpty: Bool { start == end }

    package var count: Int { Int(end - start) }
}

/// The versions that share HTTP/1.1's framing.
package enum HTTPVersion: Sendable, Hashable {
    case http10
    case http11
}

/// Where the body of a message ends (RFC 9112, section 6.3).
package enum BodyFraming: Sendable, Hashable {
    /// There is none; a length of zero too.
    case empty
    case length(UInt64)
    case chunked
    /// With the connection: responses only.
    case untilClose
}

/// What both kinds of heads tell.
package protocol MessageHead: Sendable, Hashable {
    /// Bytes in front of the start line that are not forwarded.
    var leading: Int { get }
    /// All bytes of the head, those and the empty line included.
    var length: Int { get }
    /// The first byte of the first field line.
    var fieldsStart: Int { get }
}

extension MessageHead {
    /// Where a field line can be put in: behind the last one, in front of the empty line.
    package var insertionOffset: Int { length - 2 }

    /// The value of the first field with this name, which is in lower case; nil when there is none.
    ///
    /// Walks the lines again, for fields that only some decisions need. `bytes` begins where the scanner's did.
    package func value(of name: [UInt8], in bytes: RawSpan) -> HeadSlice? {
        var line = fieldsStart
        while line < insertionOffset {
            guard let end = bytes.first(.carriageReturn, in: line..<length) else { return nil }
            let colon = line + name.count
            if colon < end, bytes[colon] == UInt8(ascii: ":"),
                name.indices.allSatisfy({ bytes[line + $0].lowercased == name[$0] })
            {
                return HeadSlice(bytes.trimmed(colon + 1..<end))
            }
            line = end + 2
        }
        return nil
    }
}

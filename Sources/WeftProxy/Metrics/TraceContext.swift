internal import WeftCore

/// Where a request belongs in a distributed trace: the `traceparent` field (W3C Trace Context, section 3.2).
///
/// ```
/// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
/// │  trace id, 16 bytes               parent id, 8    flags, of which bit 0 says sampled
/// version
/// ```
///
/// weft makes one where there is none and carries the client's on as it came; a proxy that only forwards may do that
/// (section 4.2). When it reports a span, the request goes on with that span as the parent (`child`).
package struct TraceContext: Hashable, Sendable {
    /// The two halves of the trace's id; never both zero.
    package let traceHigh: UInt64
    package let traceLow: UInt64
    /// The span that the request is made in; never zero.
    package let span: UInt64
    /// Sampled, and random trace id; bits without a meaning are not passed on in a field that weft writes (section 3.2.2.5).
    package let flags: UInt8

    /// Whether the one who made it records this trace.
    package var isSampled: Bool { flags & 1 == 1 }

    private static let sampledFlag: UInt8 = 1
    /// Bit 1: the trace id was made at random (level 2, section 3.2.2.5.2).
    private static let randomFlag: UInt8 = 2

    private init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.flags = flags
    }

    /// The beginning of a trace, for a request that came without one.
    package init(isSampled: Bool, using rng: inout some RandomNumberGenerator) {
        traceHigh = rng.next()
        traceLow = max(1, rng.next())
        span = max(1, rng.next())
        flags = Self.randomFlag | (isSampled ? Self.sampledFlag : 0)
    }

    /// Of a request that is reported, in a span of weft's. Without flags, the trace began here.
    init(_ facts: TraceFacts, flags: UInt8?, span: UInt64?) {
        self.init(
            traceHigh: facts.traceHigh,
            traceLow: facts.traceLow,
            span: span ?? 1,
            flags: flags ?? Self.randomFlag | Self.sampledFlag
        )
    }

    /// The same trace, in a new span.
    package func child(using rng: inout some RandomNumberGenerator) -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, span: max(1, rng.next()), flags: flags)
    }
}

// MARK: - Text

extension TraceContext {
    private static let length = 55

    /// Reads the value of the field, without white space around it; nil for anything that section 3.2 does not allow:
    /// capital letters, ids of zeros, version ff, and for version 00 anything behind the flags. Of a later version what is
    /// known is read, of its flags `sampled`, and what follows has to begin with a hyphen (section 3.2.4).
    ///
    /// A request with two such fields has none that counts: the caller's to find out.
    package init?(_ bytes: RawSpan) {
        let hyphen = UInt8(ascii: "-")
        guard bytes.byteCount >= Self.length, bytes[2] == hyphen, bytes[35] == hyphen, bytes[52] == hyphen,
            let version = Self.readHex(bytes, 0..<2), version != 0xff,
            let high = Self.readHex(bytes, 3..<19), let low = Self.readHex(bytes, 19..<35), high | low != 0,
            let span = Self.readHex(bytes, 36..<52), span != 0, let flags = Self.readHex(bytes, 53..<55),
            bytes.byteCount == Self.length || (version != 0 && bytes[Self.length] == hyphen)
        else { return nil }
        let known = version == 0 ? Self.sampledFlag | Self.randomFlag : Self.sampledFlag
        self.init(traceHigh: high, traceLow: low, span: span, flags: UInt8(flags) & known)
    }

    /// Appends the 55 bytes of the field's value, in version 00, without an allocation if there is room.
    package func write(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "00-".utf8)
        Self.writeHex(traceHigh, digits: 16, to: &bytes)
        Self.writeHex(traceLow, digits: 16, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.writeHex(span, digits: 16, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.writeHex(UInt64(flags), digits: 2, to: &bytes)
    }

    /// The field's value.
    package var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.length)
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Lower-case digits only.
    private static func readHex(_ bytes: RawSpan, _ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for offset in range {
            switch bytes[offset] {
            case let byte where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
                value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case let byte where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte):
                value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func writeHex(_ value: UInt64, digits: Int, to bytes: inout [UInt8]) {
        for digit in (0..<digits).reversed() {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(4 * digit)) & 15
            bytes.append(nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a"))
        }
    }
}

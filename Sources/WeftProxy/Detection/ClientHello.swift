/// The first record of a TLS client, as far as detection needs it (RFC 8446, sections 4.1.2 and 5.1):
///
/// ```
/// 22 | 3 minor | length:u16 | 1 | length:u24 | version:u16 | random:32 | session<u8> | suites<u16> | compression<u8>
/// | extensions<u16> of type:u16 data<u16>
/// ```
enum ClientHello: Equatable {
    /// May become one.
    case partial
    case other
    /// The record is there; nil without a name, or with one that is none.
    case complete(serverName: String?)

    /// The content type of a handshake record.
    static let handshake: UInt8 = 22
    /// Bytes that tell TLS from anything else.
    static let headerSize = 6
    /// The largest plaintext of a record; a hello that goes on in a second record is not followed.
    private static let recordMax = 16384

    init(_ bytes: RawSpan) {
        guard Self.mayBegin(bytes) else {
            self = .other
            return
        }
        guard bytes.byteCount >= Self.headerSize else {
            self = .partial
            return
        }
        let end = 5 + (Int(bytes[3]) << 8 | Int(bytes[4]))
        guard end > 9, end - 5 <= Self.recordMax else {
            self = .other
            return
        }
        self = bytes.byteCount < end ? .partial : .complete(serverName: Self.serverName(bytes, end: end))
    }

    private static func mayBegin(_ bytes: RawSpan) -> Bool {
        let count = bytes.byteCount
        if count > 0, bytes[0] != handshake { return false }
        if count > 1, bytes[1] != 3 { return false }
        if count > 2, bytes[2] > 4 { return false }
        return count < headerSize || bytes[5] == 1
    }

    private static func serverName(_ bytes: RawSpan, end: Int) -> String? {
        // Behind the record's and the handshake's header, version and random.
        var reader = HelloReader(offset: 5 + 4 + 2 + 32, end: end)
        guard reader.skip(lengthSize: 1, bytes), reader.skip(lengthSize: 2, bytes), reader.skip(lengthSize: 1, bytes),
            var extensions = reader.part(lengthSize: 2, bytes)
        else { return nil }
        while let type = extensions.number(2, bytes), var data = extensions.part(lengthSize: 2, bytes) {
            guard type == 0 else { continue }
            guard var names = data.part(lengthSize: 2, bytes), names.number(1, bytes) == 0,
                let name = names.part(lengthSize: 2, bytes)
            else { return nil }
            return hostName(name.offset..<name.end, bytes)
        }
        return nil
    }

    /// A name that people can be shown: the characters of DNS names, in lower case.
    private static func hostName(_ range: Range<Int>, _ bytes: RawSpan) -> String? {
        guard 1...255 ~= range.count else { return nil }
        let letters = range.map { bytes[$0].lowercased }
        guard letters.allSatisfy({ $0.isLetter || $0.isDigit || [0x2d, 0x2e, 0x5f].contains($0) }) else { return nil }
        return String(decoding: letters, as: UTF8.self)
    }
}

/// Reads numbers and parts with a length in front, within a part.
private struct HelloReader {
    private(set) var offset: Int
    let end: Int

    init(offset: Int, end: Int) {
        self.offset = offset
        self.end = end
    }

    /// A big-endian number; nil when the part ends before.
    mutating func number(_ size: Int, _ bytes: RawSpan) -> Int? {
        guard end - offset >= size else { return nil }
        let value = (offset..<offset + size).reduce(0) { $0 << 8 | Int(bytes[$1]) }
        offset += size
        return value
    }

    mutating func part(lengthSize: Int, _ bytes: RawSpan) -> HelloReader? {
        guard let length = number(lengthSize, bytes), end - offset >= length else { return nil }
        defer { offset += length }
        return HelloReader(offset: offset, end: offset + length)
    }

    mutating func skip(lengthSize: Int, _ bytes: RawSpan) -> Bool { part(lengthSize: lengthSize, bytes) != nil }
}

/// `uri-host [":" port]` (RFC 9110, section 4.2; RFC 3986, section 3.2), of a request target or of `Host`.
enum Authority {
    /// The port's digits, empty when there are none; nil for what is no authority.
    ///
    /// Stricter than the grammar: no user information (RFC 9110, section 4.2.4), no comma, by which two hosts could be
    /// joined to one, and no host without a name but in front of no port.
    static func check(_ range: Range<Int>, in bytes: RawSpan) -> Range<Int>? {
        guard let hostEnd = hostEnd(range, in: bytes), hostEnd > range.lowerBound else { return nil }
        guard hostEnd < range.upperBound else { return hostEnd..<hostEnd }
        let port = hostEnd + 1..<range.upperBound
        guard bytes[hostEnd] == UInt8(ascii: ":"), port.count <= 5 else { return nil }
        var number = 0
        for offset in port {
            guard bytes[offset].isDigit else { return nil }
            number = number * 10 + Int(bytes[offset] - 0x30)
        }
        return number <= 65535 ? port : nil
    }

    /// Whether `host` names what `authority` does, both being valid: the same but for case and for a port that goes
    /// without saying.
    static func isSame(_ host: Range<Int>, as authority: Range<Int>, form: TargetForm, in bytes: RawSpan) -> Bool {
        if bytes.isSameText(host, authority) { return true }
        let (left, right) = (withoutPort(host, in: bytes), withoutPort(authority, in: bytes))
        guard bytes.isSameText(left, right) else { return false }
        switch form {
        // Programs leave the port out of Host when they ask for a tunnel.
        case .authority: return left == host
        default:
            return isDefaultPort(host, behind: left, in: bytes) && isDefaultPort(authority, behind: right, in: bytes)
        }
    }

    private static func hostEnd(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
        guard let first = range.first, bytes[first] == UInt8(ascii: "[") else { return nameEnd(range, in: bytes) }
        guard let close = bytes.first(UInt8(ascii: "]"), in: range), close > first + 2 else { return nil }
        let isAddress = (first + 1..<close).allSatisfy { offset in
            let byte = bytes[offset]
            return byte.hexValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
        }
        return isAddress ? close + 1 : nil
    }

    /// `reg-name` and IPv4 addresses: unreserved, percent-encoded and sub-delims but for the comma. Nil where a percent
    /// sign encodes nothing; other strangers end the name.
    private static func nameEnd(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "%") {
                guard offset + 2 < range.upperBound, bytes[offset + 1].hexValue != nil,
                    bytes[offset + 2].hexValue != nil
                else { return nil }
                offset += 3
            } else {
                // ! $ & ' ( ) * + - . 0-9 ; = A-Z _ a-z ~
                guard byte.isIn(0x2bff_6fd2_0000_0000, 0x47ff_fffe_87ff_fffe) else { break }
                offset += 1
            }
        }
        return offset
    }

    private static func withoutPort(_ range: Range<Int>, in bytes: RawSpan) -> Range<Int> {
        guard let end = hostEnd(range, in: bytes) else { return range }
        return range.lowerBound..<end
    }

    /// No port, an empty one, or HTTP's.
    private static func isDefaultPort(_ range: Range<Int>, behind host: Range<Int>, in bytes: RawSpan) -> Bool {
        let port = min(host.upperBound + 1, range.upperBound)..<range.upperBound
        return port.isEmpty || bytes.matches("80", in: port)
    }
}

/// The spelling rules of systemd's unit and cgroup names.
///
/// A cgroup directory carries the unit's name with two kinds of escapes: a leading `_` that keeps it apart from the
/// kernel's own files (`_cpu.service` is the directory of `cpu.service`), and `\xNN` inside the name for bytes that
/// have another meaning in unit names (`my\x2dapp.service`). Users may make directories of any name below their own
/// manager, so nothing here trusts a name.
enum SystemdName {
    /// The unit that a cgroup directory belongs to: one leading `_` is systemd's own and goes.
    static func unit(ofDirectory component: Substring) -> String {
        printable(component.hasPrefix("_") ? component.dropFirst() : component)
    }

    /// The text with every byte that is not printable ASCII written as `\xNN`, so that a name made up by a user cannot
    /// disturb a terminal or a log. At most four times as long.
    static func printable(_ text: Substring) -> String {
        guard !text.utf8.allSatisfy(isPrintable) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 16)
        for byte in text.utf8 {
            if isPrintable(byte) {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: #"\x"#.utf8)
                bytes.append(contentsOf: hexadecimal(UInt64(byte), digits: 2).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes that the name stands for: each `\xNN` becomes its byte, anything else stays.
    static func decoded(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count, bytes[index + 1] == UInt8(ascii: "x"),
                let high = digit(bytes[index + 2]), let low = digit(bytes[index + 3])
            {
                decoded.append(high << 4 | low)
                index += 4
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return decoded
    }

    /// The nearest text in the letters of a service or tenant name: lower case, `-` for every other byte, and only from
    /// the first letter or digit on. Empty when there is none.
    static func folded(_ bytes: [UInt8]) -> String {
        let mapped = bytes.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            case UInt8(ascii: "_"), UInt8(ascii: "."): byte
            default: UInt8(ascii: "-")
            }
        }
        let separators: [UInt8] = [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")]
        return String(decoding: mapped.drop { separators.contains($0) }, as: UTF8.self)
    }

    private static func isPrintable(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The low `digits` hexadecimal digits of a number, with leading zeros.
func hexadecimal(_ number: UInt64, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text.suffix(digits)
}

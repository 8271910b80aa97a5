/// The name by which a tunnel's client asks for a workload's certificate (TLS SNI, RFC 6066, section 3), within one mesh.
///
/// ```
/// SERVICE.TENANT.weft.invalid              where both are DNS labels
/// BASE32[.BASE32...].b32.weft-name.invalid of "TENANT/SERVICE" where they are not: upper case, dots, underscores, length
/// ```
///
/// Base32 has the alphabet of RFC 4648, section 6, in lower case and without padding, in labels of 63. Every legal
/// identity has one name and no two have the same; the longest, of a host's name of 128 bytes, has 238 bytes of the 253
/// that DNS allows. `invalid` (RFC 6761, section 6.4) keeps the names from ever being looked up.
package struct ServerName: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    private static let plainSuffix = ".weft.invalid"
    private static let encodedSuffix = ".b32.weft-name.invalid"
    private static let bytesMax = 253
    private static let labelMax = 63

    /// What a host that wants to join asks for, as it knows no host by name.
    package static let join = ServerName(known: "join.weft-name.invalid")

    private init(known text: String) { self.text = text }

    /// Nil only for an identity that no tenant, service or host can have: parts too long for DNS.
    package init?(_ identity: SpiffeID) {
        if Self.isLabel(identity.account), Self.isLabel(identity.namespace) {
            self.text = "\(identity.account).\(identity.namespace)\(Self.plainSuffix)"
        } else {
            let letters = Base32.encode(Array("\(identity.namespace)/\(identity.account)".utf8))
            var labels: [Substring] = []
            var rest = letters[...]
            while !rest.isEmpty {
                labels.append(rest.prefix(Self.labelMax))
                rest = rest.dropFirst(Self.labelMax)
            }
            self.text = labels.joined(separator: ".") + Self.encodedSuffix
        }
        guard text.utf8.count <= Self.bytesMax else { return nil }
    }

    /// Reads a name from a client: one of the forms above, in any case of letters. Nil for anything else, among it other
    /// ways to write the same.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax else { return nil }
        let lower = ServerName(known: text.lowercased())
        guard lower == .join || lower.parts.flatMap({ ServerName($0.0, $0.1) }) == lower else { return nil }
        self = lower
    }

    private init?(_ namespace: String, _ account: String) {
        guard let mesh = MeshName("x"), let identity = SpiffeID("spiffe://\(mesh)/ns/\(namespace)/sa/\(account)") else {
            return nil
        }
        self.init(identity)
    }

    /// Who is meant, in the mesh that both ends are of; nil for `join`.
    package func identity(in mesh: MeshName) -> SpiffeID? {
        parts.flatMap { SpiffeID("spiffe://\(mesh)/ns/\($0.0)/sa/\($0.1)") }
    }

    /// Namespace and account, as far as the form tells; not checked further.
    private var parts: (String, String)? {
        if text.hasSuffix(Self.encodedSuffix) {
            let letters = text.dropLast(Self.encodedSuffix.utf8.count).split(separator: ".").joined()
            guard let bytes = Base32.decode(letters), let name = String(validating: bytes, as: UTF8.self) else {
                return nil
            }
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        guard text.hasSuffix(Self.plainSuffix) else { return nil }
        let labels = text.dropLast(Self.plainSuffix.utf8.count).split(separator: ".", omittingEmptySubsequences: false)
        return labels.count == 2 ? (String(labels[1]), String(labels[0])) : nil
    }

    package var description: String { text }

    /// RFC 1123, section 2.1, in lower case.
    private static func isLabel(_ text: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...labelMax).contains(text.utf8.count) && text.utf8.first != hyphen && text.utf8.last != hyphen
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == hyphen
            }
    }
}

/// Base32 in lower case without padding (RFC 4648, section 6).
private enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var letters: [UInt8] = []
        var pending: UInt16 = 0
        var bits = 0
        for byte in bytes {
            pending = pending << 8 | UInt16(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                letters.append(alphabet[Int(pending >> UInt16(bits)) & 31])
            }
            pending &= 0xff
        }
        if bits > 0 { letters.append(alphabet[Int(pending << UInt16(5 - bits)) & 31]) }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Nil for other letters. Bits left over at the end are dropped: whoever cares encodes again and compares.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending: UInt16 = 0
        var bits = 0
        for letter in text.utf8 {
            guard let value = alphabet.firstIndex(of: letter) else { return nil }
            pending = (pending & 0xff) << 5 | UInt16(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt16(bits)))
            }
        }
        return bytes
    }
}

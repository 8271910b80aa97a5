package import WeftCore

/// What `weft token` prints and `weft join` takes: one line that says where the mesh is, how to know it, and a secret that
/// lets one or a few hosts in.
///
/// ```
/// weft1_ BASE64URL( length, 2 | payload | SHA-256 of length and payload, first 4 bytes )
/// payload: mesh | expiry, 8 | root's SHA-256, 32 | id, 8 | secret, 32 | addresses
/// ```
///
/// Texts and lists inside have a length of 4 bytes. The length in front tells a token that was cut off from one that
/// was mistyped. Letters, digits, `-` and `_` only: it survives chat programs, shells and URLs. Prints without its secret.
package struct JoinToken: Sendable, Equatable {
    package static let addressesMax = 8
    /// Longer text is refused unread.
    package static let textBytesMax = 4096
    private static let prefix = "weft1_"

    package let mesh: MeshName
    package let expiry: WallTime
    /// The root that the joining host trusts, and nothing else.
    package let root: Fingerprint
    package let id: TokenID
    /// Where the join service may answer; tried in order.
    package let addresses: [PeerAddress]
    let secret: Hidden<[UInt8]>

    init(
        mesh: MeshName,
        expiry: WallTime,
        root: Fingerprint,
        id: TokenID,
        secret: [UInt8],
        addresses: [PeerAddress]
    ) {
        self.mesh = mesh
        self.expiry = expiry
        self.root = root
        self.id = id
        self.addresses = Array(addresses.prefix(Self.addressesMax))
        self.secret = Hidden(secret)
    }

    package static func == (left: JoinToken, right: JoinToken) -> Bool { left.payload == right.payload }

    /// The line itself, with the secret in it: for the one who asked for the token, and for no log.
    package var line: String {
        var writer = WireWriter()
        let payload = payload
        writer.number(UInt16(clamping: payload.count))
        writer.raw(payload)
        writer.raw(Fingerprint(of: writer.bytes).bytes.prefix(4))
        return Self.prefix + Base64URL.encode(writer.bytes)
    }

    /// Reads a line. White space around and inside it is dropped: terminals and mail wrap.
    package init(line: String) throws(JoinRefusal) {
        guard line.utf8.count <= Self.textBytesMax else { throw .malformedToken }
        let text = String(line.filter { !$0.isWhitespace })
        guard text.hasPrefix(Self.prefix) else {
            // The beginning of a beginning.
            throw !text.isEmpty && Self.prefix.hasPrefix(text) ? .truncatedToken : .malformedToken
        }
        guard let bytes = Base64URL.decode(text.dropFirst(Self.prefix.utf8.count)) else { throw .malformedToken }
        guard bytes.count >= 2 else { throw .truncatedToken }
        let length = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes.count >= 2 + length + 4 else { throw .truncatedToken }
        guard bytes.count == 2 + length + 4 else { throw .malformedToken }
        let content = Array(bytes.prefix(2 + length))
        guard Fingerprint(of: content).bytes.prefix(4) == bytes.suffix(4) else { throw .malformedToken }
        do {
            try self.init(payload: Array(content.dropFirst(2)))
        } catch {
            throw .malformedToken
        }
    }

    private var payload: [UInt8] {
        var writer = WireWriter()
        writer.text(mesh.text)
        writer.time(expiry)
        writer.raw(root.bytes)
        writer.number(id.number)
        writer.raw(secret.value)
        writer.list(addresses) { $0.text($1.description) }
        return writer.bytes
    }

    private init(payload: [UInt8]) throws(WireError) {
        var reader = WireReader(payload)
        self.mesh = try reader.mesh()
        self.expiry = try reader.time("expiry")
        self.root = try reader.fingerprint("root")
        self.id = TokenID(try reader.number("id"))
        self.secret = Hidden(try reader.raw(TokenBook.secretBytes, "secret"))
        self.addresses = try reader.list("addresses", maximum: Self.addressesMax) { reader throws(WireError) in
            try reader.made("address") { reader throws(WireError) in
                PeerAddress(try reader.text("address", maximum: 300))
            }
        }
        try reader.end()
    }
}

extension JoinToken: CustomStringConvertible {
    /// Says all but the secret.
    package var description: String { "token \(id) for \(mesh), good until \(expiry.rfc3339)" }
}

/// A token's name, which is no secret: 16 hexadecimal digits.
package struct TokenID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package var description: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    package static func < (left: TokenID, right: TokenID) -> Bool { left.number < right.number }
}

/// Base64 with `-` and `_`, without padding (RFC 4648, section 5).
private enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var letters: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0...group.count { letters.append(alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63]) }
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Nil for other letters. An odd rest at the end is dropped, as a cut-off text may have one.
    static func decode(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var bits = 0
        for letter in text.utf8 {
            guard let value = alphabet.firstIndex(of: letter) else { return nil }
            pending = (pending & 0xff) << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
            }
        }
        return bytes
    }
}

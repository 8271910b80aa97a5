internal import WeftIdentity

/// What the join service is asked, told by the first line.
enum IdentityQuestion: Equatable {
    case join
    case renewal
    /// Takes over the authority.
    case grant
    /// Only shows its certificates.
    case hello
    /// Tries the asker's ports.
    case reach
    /// A holder of an old root asks for the present one.
    case authority

    /// Nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard let found = Self.lines.first(where: { bytes.starts(with: $0.line.utf8) }) else { return nil }
        self = found.question
    }

    private static let lines: [(line: String, question: IdentityQuestion)] = [
        ("weft join 1\n", .join), ("weft renewal 1\n", .renewal), ("weft grant 1\n", .grant),
        ("weft hello 1\n", .hello), ("weft reach 1\n", .reach), ("weft authority 1\n", .authority),
    ]
}

/// The short messages of the join service.
enum IdentityText {
    static let hello = Array("weft hello 1\n".utf8)
    static let done = Array("weft done 1\n".utf8)
    private static let refusedLine = Array("weft refused 1\n".utf8)
    private static let textBytesMax = 1024

    static func refused(_ text: String) -> [UInt8] { refusedLine + text.utf8.prefix(textBytesMax) }

    /// The text of a refusal; nil for anything else.
    static func refusal(in bytes: [UInt8]) -> String? {
        guard bytes.starts(with: refusedLine) else { return nil }
        return String(decoding: bytes.dropFirst(refusedLine.count).prefix(textBytesMax), as: UTF8.self)
    }
}

/// What hosts tell each other of trust through gossip's direct messages, beside the catalogue's payloads, which begin
/// with another byte.
///
/// ```
/// 02 01          asks for the trust bundle
/// 02 02 bundle   is one
/// ```
enum TrustPayload: Equatable {
    case question
    case bundle([UInt8])

    private static let format: UInt8 = 2

    /// Whether a payload is the identity's.
    static func isOne(_ payload: [UInt8]) -> Bool { payload.first == format }

    /// Nil for what cannot be read.
    init?(_ payload: [UInt8]) {
        guard payload.count >= 2, Self.isOne(payload) else { return nil }
        switch payload[1] {
        case 1 where payload.count == 2: self = .question
        case 2: self = .bundle(Array(payload.dropFirst(2)))
        default: return nil
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .question: [Self.format, 1]
        case .bundle(let content): [Self.format, 2] + content
        }
    }
}

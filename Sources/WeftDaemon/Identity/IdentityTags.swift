internal import WeftCore
internal import WeftIdentity

/// What a host tells of its identity by gossip tags. Anybody could say such things, so nothing is believed because of
/// them: they say when to look, and where.
///
/// ```
/// weft-mesh   name of the mesh
/// weft-port   tunnels and join, TCP
/// weft-trust  VERSION.8 hex digits     the trust bundle it has
/// weft-cert   SECONDS.8 hex digits     the end of its intermediate, since 1970, and the root that made it
/// weft-ca     1                        on holders of the authority
/// weft-key    8 hex digits:MODE        its gossip key, and what it does with it: have, send, only
/// ```
struct IdentityTags: Sendable, Equatable {
    var mesh: MeshName?
    var port: UInt16?
    var trust: TrustMark?
    var certificate: CertificateMark?
    var isHolder = false
    var key: KeyMark?

    /// Tells one trust bundle from another; newer ones are greater, as `SignedTrustBundle.isNewer` has it.
    struct TrustMark: Sendable, Equatable, Comparable {
        let version: UInt64
        let digits: String

        static func < (left: TrustMark, right: TrustMark) -> Bool {
            (left.version, left.digits) < (right.version, right.digits)
        }
    }

    struct CertificateMark: Sendable, Equatable {
        let end: WallTime
        let root: String
    }

    struct KeyMark: Sendable, Equatable {
        let digits: String
        let mode: PoolMode
    }

}

extension IdentityTags {
    /// Reads a member's tags; what cannot be read is as if it were not there.
    init(reading tag: (String) -> String?) {
        mesh = tag("weft-mesh").flatMap { MeshName($0) }
        port = tag("weft-port").flatMap { UInt16($0) }.flatMap { $0 > 0 ? $0 : nil }
        trust = tag("weft-trust").flatMap(TrustMark.init)
        certificate = tag("weft-cert").flatMap(CertificateMark.init)
        isHolder = tag("weft-ca") == "1"
        key = tag("weft-key").flatMap(KeyMark.init)
    }

    /// The tags to set, by name.
    var texts: [String: String] {
        var texts: [String: String] = [:]
        texts["weft-mesh"] = mesh?.text
        texts["weft-port"] = port.map { "\($0)" }
        texts["weft-trust"] = trust.map { "\($0.version).\($0.digits)" }
        texts["weft-cert"] = certificate.map { "\($0.end.millisecondsSince1970 / 1000).\($0.root)" }
        texts["weft-ca"] = isHolder ? "1" : nil
        texts["weft-key"] = key.map { "\($0.digits):\($0.mode)" }
        return texts
    }
}

extension IdentityTags.TrustMark {
    init(_ bundle: SignedTrustBundle) {
        self.init(version: bundle.version, digits: bundle.fingerprint.shortDigits)
    }

    fileprivate init?(_ text: String) {
        guard let (number, digits) = halves(of: text, at: "."), let version = UInt64(number), isShort(digits) else {
            return nil
        }
        self.init(version: version, digits: digits)
    }
}

extension IdentityTags.CertificateMark {
    fileprivate init?(_ text: String) {
        guard let (number, digits) = halves(of: text, at: "."), let seconds = Int64(number), isShort(digits),
            (0...Self.secondsMax).contains(seconds)
        else { return nil }
        self.init(end: WallTime(millisecondsSince1970: seconds * 1000), root: digits)
    }

    /// The year 9999, where X.509 ends.
    private static let secondsMax: Int64 = 253_402_300_799
}

extension IdentityTags.KeyMark {
    fileprivate init?(_ text: String) {
        guard let (digits, name) = halves(of: text, at: ":"), isShort(digits), let mode = PoolMode(name) else {
            return nil
        }
        self.init(digits: digits, mode: mode)
    }
}

extension Fingerprint {
    /// The first 8 hexadecimal digits.
    var shortDigits: String { String(description.prefix(8)) }
}

private func halves(of text: String, at separator: Character) -> (String, String)? {
    guard text.utf8.count <= 64, let place = text.firstIndex(of: separator) else { return nil }
    return (String(text[..<place]), String(text[text.index(after: place)...]))
}

private func isShort(_ digits: String) -> Bool {
    digits.utf8.count == 8
        && digits.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
}

internal import WeftCore
internal import WeftIdentity

/// How far a host has come from gossip in clear to encrypted gossip. The raw value travels in `JoinGrant.poolMode`.
enum PoolMode: UInt8, Sendable, Comparable, CustomStringConvertible {
    /// Speaks clear, understands both: there may be members without the key.
    case have = 0
    /// Speaks encrypted, understands both: all have the key, some still speak clear.
    case send = 1
    /// Nothing in clear.
    case only = 2

    init?(_ text: String) {
        switch text {
        case "have": self = .have
        case "send": self = .send
        case "only": self = .only
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .have: "have"
        case .send: "send"
        case .only: "only"
        }
    }

    static func < (left: PoolMode, right: PoolMode) -> Bool { left.rawValue < right.rawValue }
}

/// What the identity has gossip do: the tags to show and the keys to use. Prints without the keys.
struct PoolTerms: Sendable, Equatable {
    var tags: [String: String] = [:]
    /// The one to send with first. Empty for a pool in clear, and where the configuration names a key file.
    var keys: [[UInt8]] = []
    var mode = PoolMode.have
}

extension PoolTerms: CustomStringConvertible, CustomReflectable {
    var description: String { "PoolTerms(\(keys.count) keys, redacted, \(mode))" }

    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The gossip keys of the mesh as the identity's state keeps them.
struct PoolKeys: Sendable, Equatable {
    /// The one to send with first.
    var keys: [[UInt8]]
    var mode: PoolMode

    private static let keysName = "gossip-keys"
    private static let modeName = "gossip-mode"
    private static let keysMax = 64

    init(keys: [[UInt8]], mode: PoolMode) {
        self.keys = Array(keys.prefix(Self.keysMax))
        self.mode = mode
    }

    /// A key of a new mesh, 32 bytes.
    init(using rng: inout some RandomNumberGenerator) {
        self.init(keys: [(0..<32).map { _ in UInt8.random(in: 0...255, using: &rng) }], mode: .have)
    }

    /// What an identity's state holds; no keys when it holds none. Keys that gossip would refuse are left out.
    init(_ state: IdentityState) {
        var keys: [[UInt8]] = []
        var rest = (state.extras[Self.keysName] ?? [])[...]
        while let length = rest.popFirst(), rest.count >= Int(length) {
            if [16, 24, 32].contains(length) { keys.append(Array(rest.prefix(Int(length)))) }
            rest = rest.dropFirst(Int(length))
        }
        self.init(keys: keys, mode: state.extras[Self.modeName]?.first.flatMap(PoolMode.init) ?? .have)
    }

    /// Puts them into a state. Each key has a byte of length before it.
    func keep(in state: inout IdentityState) {
        state.extras[Self.keysName] = keys.flatMap { [UInt8(clamping: $0.count)] + $0 }
        state.extras[Self.modeName] = [mode.rawValue]
    }

    /// How tags tell the key without telling it; nil without one.
    var mark: IdentityTags.KeyMark? {
        keys.first.map { IdentityTags.KeyMark(digits: Self.digits(of: $0), mode: mode) }
    }

    private static func digits(of key: [UInt8]) -> String {
        Fingerprint(of: Array("weft gossip key 1\n".utf8) + key).shortDigits
    }
}

internal import Crypto
internal import FoundationEssentials
internal import WeftCore
internal import WeftHost

/// The gossip keys of this host: from the file that the configuration names, and as changed since by `weft gossip keys` or
/// `serf keys` anywhere in the mesh.
///
/// Changes are kept in the state directory, because weftd cannot write to /etc. They hold until the configured file is
/// changed itself: the newest word wins.
struct GossipKeys {
    private let configuredPath: String?
    private let statePath: String
    /// Of the configured file's bytes; empty without one.
    private var origin = ""

    private static let fileBytesMax = 64 * 1024
    private static let keysMax = 64

    /// Keys with the configured file that they began with.
    private struct State: Codable {
        var origin: String
        /// In base64, the one to send with first.
        var keys: [String]
    }

    init(configuredPath: String?, stateDirectory: String) {
        self.configuredPath = configuredPath
        self.statePath = stateDirectory + "/gossip-keys"
    }

    /// The keys to begin with, the one to send with first; none without a configured file.
    mutating func load() throws(GossipKeyError) -> [[UInt8]] {
        guard let configuredPath else { return [] }
        let bytes: [UInt8]
        do {
            guard let content = try BoundedFile.read(configuredPath, limit: Self.fileBytesMax) else {
                throw GossipKeyError(path: configuredPath, reason: "there is no such file")
            }
            bytes = content
        } catch let error as GossipKeyError {
            throw error
        } catch {
            throw GossipKeyError(path: configuredPath, reason: "\(error)")
        }
        origin = SHA256.hash(data: bytes).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        let configured = try Self.keys(in: bytes, path: configuredPath)
        // A state that cannot be read is as none: the configured file is the better word.
        guard let saved = try? BoundedFile.read(statePath, limit: Self.fileBytesMax),
            let state = try? JSONDecoder().decode(State.self, from: Data(saved)), state.origin == origin
        else { return configured }
        let keys = state.keys.compactMap(Self.key)
        return keys.isEmpty ? configured : keys
    }

    /// Keeps changed keys.
    func save(_ keys: [[UInt8]]) throws {
        let state = State(origin: origin, keys: keys.map { Data($0).base64EncodedString() })
        try AtomicFile.write(Array(try JSONEncoder().encode(state)), to: statePath, mode: 0o600)
    }

    /// One key in base64 on a line, or a JSON list of them.
    static func keys(in bytes: [UInt8], path: String) throws(GossipKeyError) -> [[UInt8]] {
        let text = String(decoding: bytes, as: UTF8.self)
        let words: [String]
        if text.first(where: { !$0.isWhitespace }) == "[" {
            guard let list = try? JSONDecoder().decode([String].self, from: Data(bytes)) else {
                throw GossipKeyError(path: path, reason: "it begins like a JSON list of texts and is none")
            }
            words = list
        } else {
            words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        guard (1...keysMax).contains(words.count) else {
            throw GossipKeyError(path: path, reason: "it holds \(words.count) keys, and 1 to \(keysMax) are needed")
        }
        var keys: [[UInt8]] = []
        for (index, word) in words.enumerated() {
            guard let key = key(word) else {
                throw GossipKeyError(path: path, reason: "key \(index + 1) is not 16, 24 or 32 bytes in base64")
            }
            if !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    /// Nil for anything but 16, 24 or 32 bytes in base64.
    static func key(_ text: String) -> [UInt8]? {
        guard let bytes = Data(base64Encoded: text), [16, 24, 32].contains(bytes.count) else { return nil }
        return Array(bytes)
    }
}

/// The configured key file cannot be used. Never contains anything of its content.
struct GossipKeyError: Error, Sendable, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "the gossip key file \(path) cannot be used: \(reason)" }
}

internal import Crypto

/// One AES key of a pool. It prints as redacted.
package struct GossipKey: Equatable, Sendable {
    /// The sizes of AES-128, AES-192 and AES-256, in bytes.
    package static let sizes = [16, 24, 32]

    let symmetric: SymmetricKey

    /// Nil for a key of any other size.
    package init?(bytes: some Collection<UInt8>) {
        guard Self.sizes.contains(bytes.count) else { return nil }
        symmetric = SymmetricKey(data: Array(bytes))
    }

    /// The key itself, for the keyring file and for list-keys.
    package var bytes: [UInt8] { symmetric.withUnsafeBytes { Array($0) } }
}

extension GossipKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "GossipKey(\(symmetric.bitCount) bits, redacted)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a key operation is refused. The texts are those of stock agents: they appear in answers to `serf keys`.
package enum KeyringError: String, Error, Sendable, CustomStringConvertible {
    case size = "key size must be 16, 24 or 32 bytes"
    case unknown = "Requested key is not in the keyring"
    case primary = "Removing the primary key is not allowed"
    case full = "the keyring is full"

    package var description: String { rawValue }
}

/// The keys of a pool: all of them open what comes, the first one (the primary) seals what is sent. Empty means that
/// the pool is not encrypted; key operations cannot change that (specification 9).
package struct Keyring: Equatable, Sendable {
    /// The most keys: each datagram that opens with none is tried with all of them.
    package static let capacity = 64

    /// The primary first.
    package private(set) var keys: [GossipKey]

    /// No encryption.
    package init() { keys = [] }

    /// Keys of 16, 24 or 32 bytes, the primary first; checked before, when the configuration or key file was read.
    package init(keys: [[UInt8]]) {
        self.init()
        for bytes in keys {
            do throws(KeyringError) { try add(bytes) } catch { preconditionFailure("keys not checked: \(error)") }
        }
    }

    package var isEmpty: Bool { keys.isEmpty }

    /// The key that seals.
    package var primary: GossipKey? { keys.first }

    /// Installs a key for opening (the first one of an empty ring becomes the primary). One that is there stays.
    package mutating func add(_ bytes: [UInt8]) throws(KeyringError) {
        guard let key = GossipKey(bytes: bytes) else { throw .size }
        guard !keys.contains(key) else { return }
        guard keys.count < Self.capacity else { throw .full }
        keys.append(key)
    }

    /// Makes an installed key the primary.
    package mutating func use(_ bytes: [UInt8]) throws(KeyringError) {
        guard let key = GossipKey(bytes: bytes), let place = keys.firstIndex(of: key) else { throw .unknown }
        keys.remove(at: place)
        keys.insert(key, at: 0)
    }

    /// Removes a key other than the primary. One that is not there is gone already.
    package mutating func remove(_ bytes: [UInt8]) throws(KeyringError) {
        guard let key = GossipKey(bytes: bytes) else { return }
        guard key != primary else { throw .primary }
        keys.removeAll { $0 == key }
    }
}

extension Keyring: CustomStringConvertible {
    package var description: String { "Keyring(\(keys.count) keys, redacted)" }
}

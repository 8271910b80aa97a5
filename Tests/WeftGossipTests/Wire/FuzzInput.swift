@testable import WeftGossip

/// What the fuzzer's bytes mean: `mode:u8 | bytes from the network`. Mode bit 0: a stream rather than a datagram; bit
/// 1: as the dialler; bit 2: with keys; bit 3: with a label; bit 4: plain text is let through.
struct FuzzInput {
    private let mode: UInt8
    private let bytes: [UInt8]

    init(_ input: [UInt8]) {
        mode = input.first ?? 0
        bytes = Array(input.dropFirst())
    }

    func run() {
        if mode & 1 == 0 {
            WireExercise.packet(bytes, security: security)
        } else {
            WireExercise.stream(bytes, role: mode & 2 == 0 ? .acceptor : .dialler, security: security)
        }
    }

    /// The mode for bytes from the acceptor's view.
    static func mode(_ security: WireSecurity, isStream: Bool) -> UInt8 {
        (isStream ? 1 : 0) | (security.keyring.isEmpty ? 0 : 4) | (security.label.isEmpty ? 0 : 8)
    }

    /// The keys and the label of the golden vectors.
    private var security: WireSecurity {
        let keys: [[UInt8]] = [Array(0x00...0x1f), Array(0x40...0x5f), Array(0x80...0x8f)]
        return WireSecurity(
            label: mode & 8 == 0 ? [] : Array("pool-a".utf8),
            keyring: Keyring(keys: mode & 4 == 0 ? [] : keys),
            mode: mode & 16 == 0 ? .only : .send
        )
    }
}

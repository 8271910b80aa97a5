internal import Crypto

/// AES-GCM around a whole datagram or stream message: `version:u8 | nonce:12 | ciphertext | tag:16` (specification
/// 5.2).
///
/// Version 1 is sent. Version 0 (padded to 16 bytes as PKCS7 does) comes from memberlist protocol 1 and is opened too.
package enum Encryption {
    /// Bytes that version 1 adds.
    package static let overhead = 1 + nonceSize + tagSize
    /// Bytes of a nonce. It must never repeat under one key: 12 random ones are good for 2^32 messages.
    package static let nonceSize = 12
    private static let tagSize = 16
    private static let blockSize = 16

    /// A nonce from the caller's generator, which has to be the system's outside of simulations.
    static func nonce(using rng: inout some RandomNumberGenerator) -> [UInt8] {
        // Two words rather than twelve bytes: the system's generator costs a call into the kernel each time.
        let words = [rng.next(), rng.next()]
        return (0..<nonceSize).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> (8 * ($0 % 8))) }
    }

    /// Seals with version 1. `context` is authenticated but not sent: the label, and on streams the frame's header.
    static func seal(_ plain: some Collection<UInt8>, key: GossipKey, nonce: [UInt8], context: [UInt8]) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                Array(plain),
                using: key.symmetric,
                nonce: AES.GCM.Nonce(data: nonce),
                authenticating: context
            )
            return [1] + nonce + Array(box.ciphertext) + Array(box.tag)
        } catch {
            // Key and nonce sizes are our own doing; and falling back to clear text is no way out.
            preconditionFailure("AES-GCM refused to seal \(plain.count) bytes: \(error)")
        }
    }

    /// Opens with any of the keys.
    static func open(_ sealed: ArraySlice<UInt8>, keys: Keyring, context: [UInt8]) throws(WireError) -> [UInt8] {
        guard let version = sealed.first else { throw .empty }
        guard version <= 1 else { throw .encryptionVersion }
        guard sealed.count >= overhead + (version == 0 ? blockSize : 0) else { throw .undecryptable }
        let nonce = sealed.dropFirst().prefix(nonceSize)
        let ciphertext = sealed.dropFirst(1 + nonceSize).dropLast(tagSize)
        for key in keys.keys {
            guard let plain = open(ciphertext, tag: sealed.suffix(tagSize), nonce: nonce, key: key, context: context)
            else { continue }
            return version == 0 ? try withoutPadding(plain) : plain
        }
        throw .undecryptable
    }

    private static func open(
        _ ciphertext: ArraySlice<UInt8>,
        tag: ArraySlice<UInt8>,
        nonce: ArraySlice<UInt8>,
        key: GossipKey,
        context: [UInt8]
    ) -> [UInt8]? {
        do {
            let box = try AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: ciphertext, tag: tag)
            return Array(try AES.GCM.open(box, using: key.symmetric, authenticating: context))
        } catch {
            // Another key, or a forgery: the next key tells.
            return nil
        }
    }

    /// The last byte says how many bytes are padding, itself included. Whoever sealed it knows the key, but a wrong
    /// number crashes old agents (specification 11.11), so somebody may try.
    private static func withoutPadding(_ plain: [UInt8]) throws(WireError) -> [UInt8] {
        guard let last = plain.last, (1...blockSize).contains(Int(last)), Int(last) <= plain.count else {
            throw .padding
        }
        return Array(plain.dropLast(Int(last)))
    }
}

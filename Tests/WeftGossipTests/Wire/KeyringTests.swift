import Testing

@testable import WeftGossip

@Suite struct KeyringTests {
    private static let first = [UInt8](repeating: 1, count: 32)
    private static let second = [UInt8](repeating: 2, count: 16)
    private static let third = [UInt8](repeating: 3, count: 24)

    @Test func operationsFollowTheAgents() throws {
        var ring = Keyring(keys: [Self.first])
        try ring.add(Self.second)
        try ring.add(Self.third)
        try ring.add(Self.second)
        #expect(ring.keys.map(\.bytes) == [Self.first, Self.second, Self.third])
        try ring.use(Self.third)
        #expect(ring.primary?.bytes == Self.third)
        #expect(throws: KeyringError.primary) { try ring.remove(Self.third) }
        #expect(throws: KeyringError.unknown) { try ring.use([UInt8](repeating: 9, count: 16)) }
        #expect(throws: KeyringError.size) { try ring.add([UInt8](repeating: 9, count: 15)) }
        try ring.remove(Self.first)
        try ring.remove(Self.first)
        #expect(ring.keys.map(\.bytes) == [Self.third, Self.second])
    }

    @Test func theRingIsBounded() throws {
        var ring = Keyring()
        for index in 0..<Keyring.capacity { try ring.add([UInt8](repeating: UInt8(index), count: 16)) }
        #expect(throws: KeyringError.full) { try ring.add([UInt8](repeating: 200, count: 16)) }
        try ring.add([UInt8](repeating: 5, count: 16))
    }

    @Test func nothingPrintsAKey() {
        let ring = Keyring(keys: [[UInt8]("ABCDEFGHIJKLMNOP".utf8)])
        var dumped = ""
        dump(ring, to: &dumped)
        dump(KeyRequest(key: [65, 66]), to: &dumped)
        dump(KeyResponse(succeeded: true, keys: ["QUJD"], primaryKey: "QUJD"), to: &dumped)
        for text in [dumped, "\(ring)", "\(ring.keys)", String(reflecting: WireSecurity(keyring: ring))] {
            #expect(text.contains("redacted"))
            for secret in ["ABCDEF", "65", "QUJD"] { #expect(!text.contains(secret)) }
        }
    }

    @Test func anyKeyOpensAndTheContextCounts() throws {
        let ring = Keyring(keys: [Self.first, Self.second, Self.third])
        let nonce = [UInt8](repeating: 7, count: 12)
        for key in ring.keys {
            let sealed = Encryption.seal([1, 2, 3], key: key, nonce: nonce, context: [9])
            #expect(sealed.count == 3 + Encryption.overhead)
            #expect(try Encryption.open(sealed[...], keys: ring, context: [9]) == [1, 2, 3])
            #expect(throws: WireError.undecryptable) { try Encryption.open(sealed[...], keys: ring, context: []) }
            for index in sealed.indices.dropFirst() {
                var forged = sealed
                forged[index] ^= 1
                #expect(throws: WireError.undecryptable) { try Encryption.open(forged[...], keys: ring, context: [9]) }
            }
            for end in 1..<sealed.count {
                #expect(throws: WireError.undecryptable) {
                    try Encryption.open(sealed[..<end], keys: ring, context: [9])
                }
            }
        }
    }

    @Test func versionsAboveOneAreRefused() {
        let ring = Keyring(keys: [Self.first])
        for version in UInt8(2)...255 {
            #expect(throws: WireError.encryptionVersion) {
                try Encryption.open([version] + [UInt8](repeating: 0, count: 60), keys: ring, context: [])
            }
        }
        #expect(throws: WireError.empty) { try Encryption.open([], keys: ring, context: []) }
    }

    /// Version 0 has a padding of 1 to 16 bytes; any other number would crash old agents.
    @Test(arguments: [(UInt8(1), 15), (16, 0), (0, nil), (17, nil), (255, nil)])
    func paddingOfVersionZero(last: UInt8, length: Int?) throws {
        let ring = Keyring(keys: [Self.first])
        let plain = [UInt8](repeating: 5, count: 15) + [last]
        let key = try #require(ring.primary)
        var sealed = Encryption.seal(plain, key: key, nonce: [UInt8](repeating: 1, count: 12), context: [])
        sealed[0] = 0
        if let length {
            #expect(try Encryption.open(sealed[...], keys: ring, context: []).count == length)
        } else {
            #expect(throws: WireError.padding) { try Encryption.open(sealed[...], keys: ring, context: []) }
        }
    }
}

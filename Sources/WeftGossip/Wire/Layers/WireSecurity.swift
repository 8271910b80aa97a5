/// Who may be heard and who can listen: label and keys, for datagrams and streams alike.
package struct WireSecurity: Sendable, Equatable {
    /// Empty for none; at most `WireLimits.labelLength` bytes.
    package var label: [UInt8]
    /// Empty for no encryption.
    package var keyring: Keyring
    /// What the keys are used for.
    package var mode: EncryptionMode

    package init(label: [UInt8] = [], keyring: Keyring = Keyring(), mode: EncryptionMode = .only) {
        precondition(label.count <= WireLimits.labelLength, "a label of \(label.count) bytes")
        self.label = label
        self.keyring = keyring
        self.mode = mode
    }

    /// The key that seals what is sent, if it is to be sealed.
    var sendingKey: GossipKey? { mode == .have ? nil : keyring.primary }

    /// Whether what is not encrypted is heard.
    package var hearsClearText: Bool { keyring.isEmpty || mode != .only }

    /// Bytes that label and encryption take from a datagram's budget. With keys that are not used for sending yet it is
    /// the same: stock agents count so, and the budget does not change when they are.
    package var overhead: Int { Label.overhead(label) + (keyring.isEmpty ? 0 : Encryption.overhead) }
}

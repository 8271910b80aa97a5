/// Who may be heard and who can listen: label and keys, for datagrams and streams alike.
package struct WireSecurity: Sendable, Equatable {
    /// Empty for none; at most `WireLimits.labelLength` bytes.
    package var label: [UInt8]
    /// Empty for no encryption.
    package var keyring: Keyring
    /// Whether what is not encrypted is refused; true unless an existing pool is being moved to encryption (5.4).
    package var verifyIncoming: Bool
    /// Whether what is sent is encrypted; true unless such a move has not come that far.
    package var verifyOutgoing: Bool

    package init(
        label: [UInt8] = [],
        keyring: Keyring = Keyring(),
        verifyIncoming: Bool = true,
        verifyOutgoing: Bool = true
    ) {
        precondition(label.count <= WireLimits.labelLength, "a label of \(label.count) bytes")
        self.label = label
        self.keyring = keyring
        self.verifyIncoming = verifyIncoming
        self.verifyOutgoing = verifyOutgoing
    }

    /// The key that seals what is sent, if it is to be sealed.
    var sendingKey: GossipKey? { verifyOutgoing ? keyring.primary : nil }

    /// Bytes that label and encryption take from a datagram's budget. With keys that are not used for sending yet it is
    /// the same: stock agents count so, and the budget does not change when they are.
    package var overhead: Int { Label.overhead(label) + (keyring.isEmpty ? 0 : Encryption.overhead) }
}

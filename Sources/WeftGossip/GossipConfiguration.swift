package import WeftCore

/// Everything a gossip node is told before it starts: who it is, where it is reached, and how fast it acts.
///
/// The timings default to the LAN profile of memberlist and Serf (serf-protocol.md section 7), which is what the stock
/// `serf` agent runs with. Nodes of one pool need not agree on them, but detection is only as sharp as the slowest.
package struct GossipConfiguration: Sendable {
    /// The node's name: its identity in the pool, 1 to 128 bytes. Two live nodes must never share one.
    package var name: MemberName
    /// Where others reach this node, over UDP and TCP alike. IPv4 goes on the wire as 4 bytes.
    package var advertise: NetworkAddress
    /// Facts about this node that every member sees; at most 512 bytes encoded.
    package var tags: Tags
    /// AES keys of 16, 24 or 32 bytes, the primary (the one that encrypts) first, at most `Keyring.capacity`. Empty: the
    /// pool speaks in clear.
    package var keys: [[UInt8]]
    /// What the keys are used for. Another one than `only` while a plain pool is being moved to encryption (section
    /// 5.4).
    package var encryption: EncryptionMode
    /// Separates pools that share a network, at most 255 bytes. Stock agents before memberlist 0.3 know no labels.
    package var label: [UInt8]
    /// Compress datagrams when that makes them smaller, and every stream message, as stock agents do.
    package var compression: Bool
    /// Add a CRC to gossip datagrams for peers that understand it (PMax 5 and later).
    package var checksums: Bool
    /// How fast the failure detector and the spreading of news are.
    package var timing: GossipTiming
    /// How much the node keeps and accepts.
    package var limits: GossipLimits
    /// Lifeguard's three parts: health-scaled probing with nacks, suspicion shortened by confirmations, suspects told
    /// first. False gives plain SWIM with the minimum suspicion timeout, for comparison in simulations only.
    package var lifeguard: Bool
    /// Probe over TCP too when UDP goes unanswered. Default true, as stock agents do: a peer whose UDP is blocked stays
    /// alive. Costs one connection for each unanswered ping.
    package var streamPings: Bool
    /// Deliver user events from before this node joined. Default false: a joining node starts with the pool's present.
    package var replaysOldEvents: Bool
    /// Where members with equal identities come from, so that many nodes in one process share them; simulations only.
    package var identityPool: MemberIdentityPool?
    /// How many members to make room for at the start, so that the table does not grow by doubling.
    package var expectedMembers: Int

    /// A node with the given name and address, and the defaults of the LAN profile.
    package init(name: MemberName, advertise: NetworkAddress, tags: Tags = [:], keys: [[UInt8]] = []) {
        self.name = name
        self.advertise = advertise
        self.tags = tags
        self.keys = keys
        self.encryption = .only
        self.label = []
        self.compression = true
        self.checksums = true
        self.timing = .lan
        self.limits = GossipLimits()
        self.lifeguard = true
        self.streamPings = true
        self.replaysOldEvents = false
        self.identityPool = nil
        self.expectedMembers = 0
    }
}

extension GossipConfiguration: CustomStringConvertible {
    /// Never the keys.
    package var description: String {
        "GossipConfiguration(\(name) at \(advertise), \(keys.count) keys, redacted)"
    }
}

/// Why a configuration cannot run.
package enum GossipConfigurationError: Error, Equatable {
    /// The name is empty or longer than 128 bytes.
    case name(byteCount: Int)
    /// The encoded tags are longer than 512 bytes.
    case tags(byteCount: Int)
    /// A key has another length than 16, 24 or 32 bytes.
    case key(byteCount: Int)
    /// The label is longer than 255 bytes.
    case label(byteCount: Int)
    /// The advertised address is 0.0.0.0, `::` or has port 0: nobody could reach it.
    case advertise(NetworkAddress)
}

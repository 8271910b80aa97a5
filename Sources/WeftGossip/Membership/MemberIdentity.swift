internal import Synchronization
package import WeftCore

/// The part of a member that rarely changes: one announcement of it, shared by whoever knows the member so.
///
/// Immutable: a new announcement makes a new identity. It is an object because ten thousand simulated nodes that know ten
/// thousand members each must not hold a hundred million copies.
package final class MemberIdentity: Sendable, Hashable {
    package let name: MemberName
    /// As announced, byte for byte, to be passed on unchanged.
    package let address: MemberAddress
    /// The encoded tags.
    package let meta: [UInt8]
    /// Nil when the announcement had none.
    package let versions: ProtocolVersions?
    /// It has the tag `weft`: it understands weft's own messages.
    package let isWeft: Bool

    package init(name: MemberName, address: MemberAddress, meta: [UInt8], versions: ProtocolVersions?) {
        self.name = name
        self.address = address
        self.meta = meta
        self.versions = versions
        isWeft = Self.tags(of: meta)[Self.weftTag] != nil
    }

    /// Nodes with this tag run weft; its value is the version of weft's part of the protocol.
    package static let weftTag = "weft"

    /// Where the member is dialled.
    package var networkAddress: NetworkAddress { address.networkAddress }

    /// Decoded each time: rarely asked for, and larger than the meta. Empty when it cannot be decoded.
    package var tags: Tags { Self.tags(of: meta) }

    /// A member with a meta that makes no sense is a member all the same.
    private static func tags(of meta: [UInt8]) -> Tags {
        do { return try Tags(meta: meta) } catch { return Tags() }
    }

    package static func == (left: MemberIdentity, right: MemberIdentity) -> Bool {
        left === right
            || left.name == right.name && left.address == right.address && left.meta == right.meta
                && left.versions == right.versions
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(address)
        hasher.combine(meta)
    }
}

/// Identities shared by all nodes of one process; for simulations of large pools. It only grows.
package final class MemberIdentityPool: Sendable {
    private let known = Mutex<Set<MemberIdentity>>([])

    package init() {}

    /// The identity to keep for one that was just decoded: the equal one that is known already, if any.
    package func shared(_ identity: MemberIdentity) -> MemberIdentity {
        known.withLock { $0.insert(identity).memberAfterInsert }
    }
}

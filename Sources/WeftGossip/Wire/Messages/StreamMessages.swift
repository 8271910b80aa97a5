/// The one message that each side of a stream sends (specification 4.1).
package enum StreamMessage: Equatable, Sendable {
    case ping(Ping)
    case ack(Ack)
    case pushPull(PushPull)
    case user(UserMessage)
    case error(StreamError)
}

/// First object of a push/pull: how many of what follows.
package struct PushPullHeader: Equatable, Sendable {
    package var nodes: Int
    package var userStateLength: Int
    /// True on first contact and on reconnecting, false for the periodic exchange.
    package var join: Bool

    package init(nodes: Int, userStateLength: Int, join: Bool) {
        self.nodes = nodes
        self.userStateLength = userStateLength
        self.join = join
    }
}

/// Type 6: all that a member knows about all members, and its Serf state.
package struct PushPull: Equatable, Sendable {
    package var join: Bool
    package var nodes: [PushNodeState]
    /// Raw; see `UserState`. Empty when the Serf layer is not to be told anything.
    package var userState: [UInt8]
    /// Records left out of `nodes` because they break a bound or make no sense (an address of 5 bytes, say). One bad
    /// record that a peer passes on must not cost us the exchange.
    package var skippedNodes: Int

    package init(join: Bool, nodes: [PushNodeState], userState: [UInt8], skippedNodes: Int = 0) {
        self.join = join
        self.nodes = nodes
        self.userState = userState
        self.skippedNodes = skippedNodes
    }
}

/// What a member claims about one member in a push/pull.
package struct PushNodeState: Equatable, Sendable {
    /// The wire's numbers.
    package enum State: UInt8, Sendable, CaseIterable {
        case alive = 0
        case suspect = 1
        case dead = 2
        case left = 3
    }

    package var name: MemberName
    package var address: MemberAddress
    package var meta: [UInt8]
    package var incarnation: Incarnation
    package var state: State
    package var versions: ProtocolVersions?

    package init(
        name: MemberName,
        address: MemberAddress,
        meta: [UInt8],
        incarnation: Incarnation,
        state: State,
        versions: ProtocolVersions?
    ) {
        self.name = name
        self.address = address
        self.meta = meta
        self.incarnation = incarnation
        self.state = state
        self.versions = versions
    }
}

/// Type 13: the acceptor could not read what the dialler sent.
package struct StreamError: Equatable, Sendable {
    /// For people; cut to `WireLimits.errorTextLength` bytes.
    package var text: String

    package init(text: String) { self.text = text }
}

/// The user state of a push/pull: Serf's map, and behind it weft's own section, which stock agents ignore.
///
/// `Serf map | "weft" | section`. Bytes behind the map that do not begin with the magic are nobody's and are ignored.
package struct UserState: Equatable, Sendable {
    package var serf: SerfPushPull
    /// Nil when the peer sent none: it is no weft node, or an empty one would say "I have nothing".
    package var section: [UInt8]?

    package init(serf: SerfPushPull, section: [UInt8]?) {
        self.serf = serf
        self.section = section
    }
}

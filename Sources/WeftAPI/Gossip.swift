/// One row of `GET /v1/peers`: a host of the mesh, this one included, or a stock serf agent.
package struct PeerRow: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable {
        case alive, suspect, failed, left
    }

    package enum Kind: String, Codable, Sendable {
        case weft, serf
    }

    package var name: String
    /// Where it gossips, such as `10.0.0.12:7946`.
    package var address: String
    package var state: State
    /// Measured, or estimated from coordinates where this host has not asked that one lately; nil while neither is known.
    package var rttMilliseconds: Double?
    package var tags: [String: String]
    package var kind: Kind
    /// Of weft; nil for stock agents.
    package var version: String?
    /// How long it has been in this state, as far as this host knows.
    package var sinceSeconds: Double
    /// Whether it is the host that answers.
    package var isSelf: Bool

    package init(
        name: String,
        address: String,
        state: State,
        rttMilliseconds: Double?,
        tags: [String: String],
        kind: Kind,
        version: String?,
        sinceSeconds: Double,
        isSelf: Bool
    ) {
        self.name = name
        self.address = address
        self.state = state
        self.rttMilliseconds = rttMilliseconds
        self.tags = tags
        self.kind = kind
        self.version = version
        self.sinceSeconds = sinceSeconds
        self.isSelf = isSelf
    }
}

/// `POST /v1/peers/join`
package struct JoinRequest: Codable, Sendable, Equatable {
    /// Addresses or names, with or without a port; 1 to 100.
    package var addresses: [String]

    package init(addresses: [String]) { self.addresses = addresses }
}

/// What came of a join: each address that was tried, and how many hosts are known now.
package struct JoinResponse: Codable, Sendable, Equatable {
    package struct Attempt: Codable, Sendable, Equatable {
        package var address: String
        /// Why it failed; nil when that host answered.
        package var error: String?

        package init(address: String, error: String?) {
            self.address = address
            self.error = error
        }
    }

    package var attempts: [Attempt]
    /// Hosts that are alive, this one included.
    package var peersAlive: Int

    package init(attempts: [Attempt], peersAlive: Int) {
        self.attempts = attempts
        self.peersAlive = peersAlive
    }
}

/// `POST /v1/peers/leave`: without a name this host leaves; with one, a failed host is declared gone.
package struct LeaveRequest: Codable, Sendable, Equatable {
    package var node: String?

    package init(node: String?) { self.node = node }
}

/// What came of leaving.
package struct LeaveResponse: Codable, Sendable, Equatable {
    /// The host that has left.
    package var node: String

    package init(node: String) { self.node = node }
}

/// One row of `GET /v1/events`: something that happened in the mesh, as this host learned it.
package struct EventRow: Codable, Sendable, Equatable {
    /// Counts up from 1 while weftd runs.
    package var sequence: UInt64
    /// RFC 3339, UTC, milliseconds.
    package var time: String
    /// `peer-joined`, `peer-updated`, `peer-suspect`, `peer-alive`, `peer-failed`, `peer-left`, `peer-removed`,
    /// `service-added`, `service-changed`, `service-removed`, `user`, `query`, `key`.
    package var kind: String
    /// The host concerned, or that sent it, where that is known.
    package var node: String?
    /// The service or event by name, where there is one.
    package var name: String?
    /// What a user event or query carries, as text; bytes that are no UTF-8 are replaced.
    package var payload: String?

    package init(sequence: UInt64, time: String, kind: String, node: String?, name: String?, payload: String?) {
        self.sequence = sequence
        self.time = time
        self.kind = kind
        self.node = node
        self.name = name
        self.payload = payload
    }
}

/// `GET /v1/events?after=N&wait=S`: the events after number N, at most 512. With none, waits up to S seconds (0 to 30)
/// for the first. `after` absent: those that are still remembered.
package struct EventsResponse: Codable, Sendable, Equatable {
    package var events: [EventRow]
    /// What to give as `after` next.
    package var latest: UInt64
    /// Events that were forgotten between `after` and the first of these.
    package var missed: UInt64

    package init(events: [EventRow], latest: UInt64, missed: UInt64) {
        self.events = events
        self.latest = latest
        self.missed = missed
    }
}

/// `POST /v1/events/send`: sends a user event to every host, stock serf agents too.
package struct SendEventRequest: Codable, Sendable, Equatable {
    /// 1 to 128 bytes; not beginning with `weft:`. With the payload at most 400 bytes.
    package var name: String
    package var payload: String
    /// Whether agents may hand only the latest of several events of this name to their scripts.
    package var coalesce: Bool

    package init(name: String, payload: String, coalesce: Bool) {
        self.name = name
        self.payload = payload
        self.coalesce = coalesce
    }
}

/// Answers a request that has nothing to tell but that it was done.
package struct DoneResponse: Codable, Sendable, Equatable {
    package var done: Bool

    package init(done: Bool = true) { self.done = done }
}

/// `POST /v1/gossip/keys/install`, `use` and `remove`.
package struct KeyRequestBody: Codable, Sendable, Equatable {
    /// 16, 24 or 32 bytes in base64.
    package var key: String

    package init(key: String) { self.key = key }
}

/// What the hosts answered about their gossip keys: `GET /v1/gossip/keys`, and every change of keys.
package struct KeysResponse: Codable, Sendable, Equatable {
    package struct Key: Codable, Sendable, Equatable {
        /// In base64. Who may read this belongs to the mesh.
        package var key: String
        /// Hosts that have it.
        package var hosts: Int
        /// Hosts that send with it.
        package var primaryOn: Int

        package init(key: String, hosts: Int, primaryOn: Int) {
            self.key = key
            self.hosts = hosts
            self.primaryOn = primaryOn
        }
    }

    package struct Failure: Codable, Sendable, Equatable {
        package var node: String
        package var error: String

        package init(node: String, error: String) {
            self.node = node
            self.error = error
        }
    }

    /// Filled by listing only.
    package var keys: [Key]
    package var failures: [Failure]
    package var hostsAsked: Int
    package var hostsAnswered: Int

    package init(keys: [Key], failures: [Failure], hostsAsked: Int, hostsAnswered: Int) {
        self.keys = keys
        self.failures = failures
        self.hostsAsked = hostsAsked
        self.hostsAnswered = hostsAnswered
    }
}

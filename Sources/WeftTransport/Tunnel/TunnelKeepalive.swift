internal import WeftCore

/// When to send a PING, and when its silence means that the peer is gone. At most one PING is unanswered at a time.
struct TunnelKeepalive {
    enum Action: Equatable {
        case nothing
        case ping
        case dead
    }

    private let interval: Duration
    private let timeout: Duration
    /// When the last PING was answered, or the connection began.
    private var answered: Instant
    /// When the unanswered PING left, if it has; what waits behind a full socket has not.
    private var sent: Instant?
    /// When anything last went out or came in. A peer that has stopped reads nothing, and so never gets to see a PING.
    private var moved: Instant
    private var isAsked = false

    init(interval: Duration, timeout: Duration, now: Instant) {
        self.interval = interval
        self.timeout = timeout
        self.answered = now
        self.moved = now
    }

    /// Called on every tick.
    mutating func look(now: Instant) -> Action {
        if isAsked {
            return now - (sent ?? moved) >= timeout ? .dead : .nothing
        }
        guard now - answered >= interval else { return .nothing }
        isAsked = true
        moved = now
        return .ping
    }

    /// The PING is with the kernel.
    mutating func pingLeft(now: Instant) {
        if isAsked, sent == nil { sent = now }
    }

    mutating func pingAnswered(now: Instant) {
        isAsked = false
        sent = nil
        answered = now
    }

    /// Bytes came: a peer whose answer is stuck behind its own data is not dead.
    mutating func heard(now: Instant) {
        moved = now
        if sent != nil { sent = now }
    }

    /// Something else went out: the socket takes bytes.
    mutating func wrote(now: Instant) { moved = now }
}

package import WeftCore

/// Why a tunnel, or one stream of it, could not be used or came to an end.
package enum TunnelFailure: Error, Sendable, Equatable {
    /// TCP did not get there.
    case unreachable(Ending)
    /// Something took longer than it may.
    case timedOut(Step)
    /// There is no certificate for the source on this host.
    case noCertificate(SpiffeID)
    /// TLS failed on our side or by the peer's alert, during the handshake; `reason` is a short name.
    case handshake(reason: String)
    /// The peer's certificate does not hold.
    case peerRefused(TunnelRefusal)
    /// A good certificate, of somebody else.
    case identityMismatch(expected: SpiffeID, presented: SpiffeID)
    /// The peer ended the connection between the handshake and its SETTINGS: in TLS 1.3 that is how a server says that it
    /// does not want our certificate. `reason` is the alert's name, or `closed` if the alert was lost.
    case identityRefused(reason: String)
    /// The peer's rules do not allow it; the rule and the node if the peer is weft.
    case denied(rule: String?, node: String?)
    /// The peer answered CONNECT with something that is not success.
    case refused(status: Int, because: String?)
    /// The peer did not look at the stream: it was full, or leaving. Retrying is safe, and has been done once.
    case notServed
    /// The peer ended the stream; the number is HTTP/2's error code.
    case reset(code: Int)
    /// The peer said farewell with an error code.
    case goAway(code: Int)
    /// The peer did not answer a PING.
    case pingTimeout
    /// TCP or TLS broke, or the peer closed without a word.
    case lost
    /// The peer broke HTTP/2's rules, or was broken by us on purpose after a flood; the name of what.
    case violation(String)
    /// Too many opens wait for this peer already.
    case overLimit
    /// weft ended it: the node is gone, the peer revoked, weftd stops, or the client gave up.
    case cancelled(Cause)

    package enum Step: String, Sendable {
        case connect
        case handshake
        case settings
        case answer
    }

    package enum Cause: String, Sendable {
        case nodeGone = "node-gone"
        case revoked
        case shutdown
        case idle
        case abandoned
    }

    /// Short and stable, for metrics.
    package var name: String {
        switch self {
        case .unreachable(let ending): ending.rawValue
        case .timedOut(let step): "\(step.rawValue)-timeout"
        case .noCertificate: "no-certificate"
        case .handshake: "handshake"
        case .peerRefused(let refusal): refusal.name
        case .identityMismatch: "identity-mismatch"
        case .identityRefused: "identity-refused"
        case .denied: "denied"
        case .refused: "refused"
        case .notServed: "not-served"
        case .reset: "reset"
        case .goAway: "goaway"
        case .pingTimeout: "ping-timeout"
        case .lost: "lost"
        case .violation: "violation"
        case .overLimit: "over-limit"
        case .cancelled(let cause): cause.rawValue
        }
    }

    /// Whether the cause is who one of the two is, as opposed to whether the other can be reached.
    package var isIdentity: Bool {
        switch self {
        case .noCertificate, .handshake, .peerRefused, .identityMismatch, .identityRefused: true
        default: false
        }
    }
}

extension TunnelFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let ending): "the peer's tunnel port did not answer (\(ending.rawValue))"
        case .timedOut(let step): "the peer was too slow (\(step.rawValue))"
        case .noCertificate(let source): "there is no certificate for \(source) on this host"
        case .handshake(let reason): "TLS failed: \(reason)"
        case .peerRefused(let refusal): refusal.description
        case .identityMismatch(let expected, let presented): "the peer is \(presented), expected was \(expected)"
        case .identityRefused(let reason): "the peer did not accept this host's certificate: \(reason)"
        case .denied(let rule, let node): "denied by \(rule ?? "a rule") on \(node ?? "the peer")"
        case .refused(let status, let because): "the peer answered \(status)\(because.map { ": \($0)" } ?? "")"
        case .notServed: "the peer refused the stream twice"
        case .reset(let code): "the peer reset the stream (HTTP/2 error \(code))"
        case .goAway(let code): "the peer closed the tunnel (HTTP/2 error \(code))"
        case .pingTimeout: "the peer did not answer in time"
        case .lost: "the connection to the peer broke"
        case .violation(let what): "HTTP/2 rules were broken: \(what)"
        case .overLimit: "too many connections wait for this peer"
        case .cancelled(let cause): "weft ended it: \(cause.rawValue)"
        }
    }
}

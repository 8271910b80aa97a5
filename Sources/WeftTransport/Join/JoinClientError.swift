package import WeftCore
package import WeftIdentity

/// Why the join service of another host did not answer. The description says what to look at.
package enum JoinClientError: Error, Sendable, Equatable {
    /// TCP did not get there.
    case unreachable(NetworkAddress, Ending)
    /// Something took longer than it may.
    case timedOut(NetworkAddress, Step)
    /// TLS failed, on this side or by the other's alert; `reason` is a short name.
    case tlsFailed(NetworkAddress, reason: String)
    /// Something answers there that is not the join service: it does not speak its protocol.
    case notJoinService(NetworkAddress)
    /// The other's certificates do not make it a host of the mesh.
    case peerRefused(NetworkAddress, PeerRefusal)
    /// The connection ended before the answer did.
    case noAnswer(NetworkAddress)
    /// The answer has no length, or more bytes than it says.
    case malformedAnswer(NetworkAddress)
    /// The other wants to send more than an answer may have; in bytes.
    case answerTooLong(NetworkAddress, Int)
    /// The request has more bytes than the other would read; nothing was sent.
    case requestTooLong(Int)

    package enum Step: String, Sendable {
        case handshake
        case answer
    }

    /// Whether another of the mesh's addresses may do better.
    package var isWorthAnotherAddress: Bool {
        if case .requestTooLong = self { false } else { true }
    }
}

extension JoinClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let address, .refused):
            "nothing listens on \(address): is weftd running there?"
        case .unreachable(let address, .connectTimeout):
            "no answer from \(address): a firewall may keep TCP \(address.port) closed"
        case .unreachable(let address, let ending):
            "\(address) cannot be reached (\(ending.rawValue))"
        case .timedOut(let address, let step):
            "\(address) accepted the connection and was too slow (\(step.rawValue))"
        case .tlsFailed(let address, "closed"):
            "\(address) closed the connection during the TLS handshake: it is too busy, or no weftd of a mesh"
        case .tlsFailed(let address, let reason):
            "TLS with \(address) failed: \(reason)"
        case .notJoinService(let address):
            "what answers on \(address) is not weft's join service"
        case .peerRefused(let address, let refusal):
            "\(address) is not to be trusted: \(refusal)"
        case .noAnswer(let address):
            "\(address) closed the connection without an answer; try again, and look at its log if it does so again"
        case .malformedAnswer(let address):
            "\(address) gave an answer that cannot be read: does it run another version of weft?"
        case .answerTooLong(let address, let count):
            "\(address) wants to send \(count) bytes, more than any answer has"
        case .requestTooLong(let count):
            "the message has \(count) bytes, more than the join service reads"
        }
    }
}

package import WeftCore

/// What the shell has to do for the core, in the order of the array it is appended to.
package enum GossipAction: Sendable, Equatable {
    /// Send one datagram. Failing to send is no error: gossip expects loss.
    case send([UInt8], to: NetworkAddress)
    /// Dial `to`, send `message`, and report what comes back with `streamReceived` or `streamFailed`. The stream ends
    /// by `closeStream`, or at `deadline` with `streamFailed`. With `expectsReply` false, close once it is sent.
    case openStream(StreamID, to: NetworkAddress, message: [UInt8], deadline: Instant, expectsReply: Bool)
    /// Send these bytes on a stream that was accepted. `closeStream` follows: close once they are sent.
    case reply(StreamID, [UInt8])
    /// The core is done with the stream; it reports nothing more about it and wants to hear nothing more.
    case closeStream(StreamID)
    /// Call `timerFired` at this time. It replaces any wake-up asked for before: there is one at a time.
    case wake(at: Instant)
    /// A member joined, changed, failed, left or was forgotten.
    case memberChanged(MemberChange)
    /// A user event is new here.
    case userEvent(UserEvent)
    /// A query wants an answer; give it with `respond(to:with:)`.
    case queryReceived(IncomingQuery)
    /// A member answered a query of ours.
    case queryResponse(QueryResponse)
    /// A query of ours is over. No more responses follow.
    case queryFinished(QueryOutcome)
    /// A key operation of ours is over.
    case keyOperationFinished(KeyOutcome)
    /// A weft node's section arrived with a push/pull.
    case sectionReceived([UInt8], from: MemberName)
    /// A weft node sent us a direct message.
    case directReceived([UInt8], from: MemberName)
    /// A join is over.
    case joinFinished(JoinOutcome)
    /// The keys changed, by a key query of any member: write them to the keyring file. The primary is first.
    case keyringChanged([[UInt8]])
    /// Leaving is complete: everybody has been told as well as can be. Nothing more will be sent.
    case left
    /// Another node has our name and the pool sides with it: stop, or come back under another name (section 8.8).
    case nameConflictLost
}

/// Names one TCP exchange between core and shell. Never used twice by one node.
package struct StreamID: Hashable, Sendable, Comparable {
    /// Counts up from 1.
    package let number: UInt64

    package init(number: UInt64) { self.number = number }

    package static func < (left: StreamID, right: StreamID) -> Bool { left.number < right.number }
}

/// Why a stream ended without its answer; for counters only, the core treats all alike.
package enum StreamFailure: String, Sendable, Equatable, CaseIterable {
    /// The address could not be dialled.
    case unreachable
    /// The deadline passed.
    case timedOut = "timed_out"
    /// The peer closed or reset the stream before a whole message had come.
    case closed
    /// What came could not be decoded or decrypted.
    case malformed
}

/// Names one join.
package struct JoinID: Hashable, Sendable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }

    /// The node's own attempt after `start` to come back through the members of its snapshot.
    package static let rejoin = JoinID(number: 0)
}

/// How a join went.
package struct JoinOutcome: Sendable, Equatable {
    package let id: JoinID
    /// Addresses whose node exchanged state with us.
    package var joined: [NetworkAddress]
    /// Addresses that failed, and why.
    package var failed: [JoinFailure]
}

/// One address that could not be joined.
package struct JoinFailure: Sendable, Equatable {
    package let address: NetworkAddress
    package let reason: Reason

    /// What went wrong with the exchange.
    package enum Reason: Sendable, Equatable {
        /// No exchange took place.
        case stream(StreamFailure)
        /// The peer answered with an error of its own; its text.
        case refused(String)
        /// The peer's members speak protocol versions that ours do not, or the reverse.
        case versions
        /// The peer answered with something that is no push/pull.
        case unexpected
    }
}

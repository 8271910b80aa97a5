package import WeftCore

/// What may happen to a carried connection, and what has to follow: the half-close and reset rules of TCP, kept exact
/// across two legs.
///
/// A relay has two legs, the client's and the destination's. Each leg has an input (what it sends us) and an output (what
/// we send it). The machine decides only about ends: bytes, buffers and back-pressure are the shell's.
///
/// - FIN on one leg's input becomes FIN on the other leg's output, behind all bytes; the other direction stays open.
/// - RST (or any other failure) of a leg becomes RST on the other, never an orderly end.
/// - Both directions ended in order: the connection completed.
///
/// Duties of the shell: carry out the actions in order; report `outputEnded` once an `endOutput` has reached the kernel;
/// report at most one `inputEnded` for each leg, and `legFailed` when it breaks. Runs on the connection's event loop.
package struct RelayMachine: Sendable {
    /// One of the two sockets of a relay.
    package enum Leg: Sendable, Hashable, CaseIterable {
        case client
        case destination

        package var other: Leg { self == .client ? .destination : .client }

        /// Whose side a failure of this leg is on.
        package var side: Side { self == .client ? .client : .destination }
    }

    /// What the shell has to do, in order.
    package enum Action: Sendable, Equatable {
        /// Start reading from both legs; bytes that the client sent during the dial go first.
        case startRelay
        /// After everything written so far: FIN to this leg.
        case endOutput(Leg)
        /// After everything written so far: RST to this leg, and close it.
        case abort(Leg)
        /// One direction has ended: from now on, silence in the other counts against the half-close limit.
        case watchSilence
        /// The connection is over. Comes once, and last.
        case finish(Outcome)
    }

    /// What people see of a live connection.
    package enum Phase: String, Sendable {
        case dialling
        case open
        case halfClosed = "half-closed"
        case finished
    }

    private enum State: Sendable {
        case dialling(clientEnded: Bool)
        case relaying(Ends)
        case finished
    }

    /// Which of the four halves have ended.
    private struct Ends: Sendable {
        private var inputs: (client: Bool, destination: Bool) = (false, false)
        private var outputs: (client: Bool, destination: Bool) = (false, false)

        func inputEnded(_ leg: Leg) -> Bool { leg == .client ? inputs.client : inputs.destination }

        func outputEnded(_ leg: Leg) -> Bool { leg == .client ? outputs.client : outputs.destination }

        mutating func endInput(_ leg: Leg) {
            if leg == .client { inputs.client = true } else { inputs.destination = true }
        }

        mutating func endOutput(_ leg: Leg) {
            if leg == .client { outputs.client = true } else { outputs.destination = true }
        }

        var isHalfClosed: Bool { inputs.client || inputs.destination }

        var isComplete: Bool { inputs == (true, true) && outputs == (true, true) }
    }

    private var state = State.dialling(clientEnded: false)

    package init() {}

    package var phase: Phase {
        switch state {
        case .dialling: .dialling
        case .relaying(let ends): ends.isHalfClosed ? .halfClosed : .open
        case .finished: .finished
        }
    }

    /// The destination accepted.
    package mutating func dialSucceeded(into actions: inout [Action]) {
        guard case .dialling(let clientEnded) = state else { return }
        var ends = Ends()
        actions.append(.startRelay)
        if clientEnded {
            ends.endInput(.client)
            actions.append(.watchSilence)
            actions.append(.endOutput(.destination))
        }
        state = .relaying(ends)
    }

    /// The destination did not accept, or weft refused to ask it; `ending` says why.
    package mutating func dialFailed(_ ending: Ending, side: Side, into actions: inout [Action]) {
        guard case .dialling = state else { return }
        finish(Outcome(ending, side: side), aborting: [.client], into: &actions)
    }

    /// FIN arrived on a leg.
    package mutating func inputEnded(_ leg: Leg, into actions: inout [Action]) {
        switch state {
        case .dialling:
            // Only the client can speak before the dial is over.
            guard leg == .client else { return }
            state = .dialling(clientEnded: true)
        case .relaying(var ends):
            guard !ends.inputEnded(leg) else { return }
            let isFirst = !ends.inputEnded(leg.other)
            ends.endInput(leg)
            state = .relaying(ends)
            if isFirst { actions.append(.watchSilence) }
            actions.append(.endOutput(leg.other))
        case .finished:
            break
        }
    }

    /// Everything written to a leg, and the FIN behind it, is with the kernel.
    package mutating func outputEnded(_ leg: Leg, into actions: inout [Action]) {
        guard case .relaying(var ends) = state else { return }
        ends.endOutput(leg)
        state = .relaying(ends)
        if ends.isComplete {
            finish(Outcome(.completed, side: .client), aborting: [], into: &actions)
        }
    }

    /// A leg was reset, timed out, or broke in another way.
    package mutating func legFailed(_ leg: Leg, _ ending: Ending, into actions: inout [Action]) {
        switch state {
        case .dialling:
            finish(Outcome(ending, side: leg.side), aborting: [leg.other], into: &actions)
        case .relaying(let ends):
            // Both halves of this leg were over: what comes after cannot hurt anybody.
            if ends.inputEnded(leg), ends.outputEnded(leg) { return }
            finish(Outcome(ending, side: leg.side), aborting: [leg.other], into: &actions)
        case .finished:
            break
        }
    }

    /// One direction ended and the other stayed silent for too long.
    package mutating func silenceExpired(into actions: inout [Action]) {
        guard case .relaying(let ends) = state, ends.isHalfClosed else { return }
        let silent: Side = ends.inputEnded(.client) ? .destination : .client
        finish(Outcome(.lingerTimeout, side: silent), aborting: [.client, .destination], into: &actions)
    }

    /// weftd ends the connection itself: the drain deadline, or a failure of its own.
    package mutating func cancel(_ ending: Ending, into actions: inout [Action]) {
        if case .finished = state { return }
        finish(Outcome(ending, side: .weft), aborting: [.client, .destination], into: &actions)
    }

    private mutating func finish(_ outcome: Outcome, aborting legs: [Leg], into actions: inout [Action]) {
        state = .finished
        actions.append(contentsOf: legs.map(Action.abort))
        actions.append(.finish(outcome))
    }
}

internal import Synchronization
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// Ties together what the tunnels need of each other and what starts one after the other: the event loops, this host's
/// identity, and the book of hosts that were reached. What comes before an end is tied waits for it, or is dropped where
/// it comes again.
final class TunnelTies: Sendable {
    private struct State {
        var plane: DataPlane?
        var book: ReachBook?
        var controller: IdentityController?
        var identity: IdentitySnapshot?
    }

    private let state = Mutex(State())

    func connect(_ plane: DataPlane, _ book: ReachBook, _ controller: IdentityController) {
        let identity = state.withLock { state in
            (state.plane, state.book, state.controller) = (plane, book, controller)
            return state.identity
        }
        if let identity { publish(identity) }
    }

    /// New certificates or trust: to the event loops, in the order in which they come.
    func publish(_ identity: IdentitySnapshot) {
        let book = state.withLock { state in
            state.identity = identity
            state.plane?.publish(identity)
            return state.book
        }
        if let book { Task { await book.adopt(mesh: identity.mesh) } }
    }

    /// What the event loops ask for.
    var hooks: TunnelHooks {
        TunnelHooks(
            requestLeaf: { identity, completion in
                guard let controller = self.state.withLock({ $0.controller }) else { return completion(false) }
                controller.requestLeaf(identity, then: completion)
            },
            reached: { node in
                guard let book = self.state.withLock({ $0.book }) else { return }
                Task { await book.reached(node) }
            },
            unreached: { node, failure in
                guard let book = self.state.withLock({ $0.book }) else { return }
                Task { await book.unreached(node, failure) }
            }
        )
    }
}

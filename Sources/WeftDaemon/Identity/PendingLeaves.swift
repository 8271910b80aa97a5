internal import Synchronization
internal import WeftCore

/// Wishes of event loops for certificates, until the identity comes to them. One wish for one identity, however many
/// connections wait for it.
final class PendingLeaves: Sendable {
    typealias Completion = @Sendable (Bool) -> Void

    /// Identities, and connections together: what waits is bounded, and one more is refused.
    private static let identitiesMax = 256
    private static let completionsMax = 8192

    private struct State {
        var waiting: [SpiffeID: [Completion]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    enum Entry {
        /// The first since `take`: somebody has to come.
        case first
        case added
        case refused
    }

    func add(_ identity: SpiffeID, _ completion: @escaping Completion) -> Entry {
        state.withLock { state in
            guard state.count < Self.completionsMax,
                state.waiting[identity] != nil || state.waiting.count < Self.identitiesMax
            else { return .refused }
            let isFirst = state.count == 0
            state.waiting[identity, default: []].append(completion)
            state.count += 1
            return isFirst ? .first : .added
        }
    }

    /// All wishes so far, in order of identity.
    func take() -> [(identity: SpiffeID, completions: [Completion])] {
        state.withLock { state in
            let waiting = state.waiting
            state = State()
            return waiting.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}

import Glibc
import Synchronization

/// A blocking call on a thread of its own. Swift's tasks have one thread for each core: tests that block them would wait
/// for each other.
final class Blocking<Value: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Value, Never>)
        case done(Value)
    }

    private let state = Mutex(State.running)
    private let body: @Sendable () -> Value

    private init(_ body: @escaping @Sendable () -> Value) { self.body = body }

    /// Starts at once.
    static func start(_ body: @escaping @Sendable () -> Value) -> Blocking {
        let work = Blocking(body)
        let entry = Unmanaged.passRetained(Entry { work.run() }).toOpaque()
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, enter, entry)
        precondition(result == 0, "no thread")
        pthread_detach(thread)
        return work
    }

    /// What came out; asked for once.
    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let done: Value? = state.withLock { state in
                    if case .done(let value) = state { return value }
                    state = .awaited(continuation)
                    return nil
                }
                if let done { continuation.resume(returning: done) }
            }
        }
    }

    private func run() {
        let value = body()
        let continuation: CheckedContinuation<Value, Never>? = state.withLock { state in
            defer { state = .done(value) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(returning: value)
    }
}

private final class Entry: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
    if let pointer { Unmanaged<Entry>.fromOpaque(pointer).takeRetainedValue().body() }
    return nil
}

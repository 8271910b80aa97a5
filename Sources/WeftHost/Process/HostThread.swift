internal import CWeftLinux
internal import Glibc

/// A named thread for work that blocks, or that changes a thread's own state (its network namespace).
///
/// Runs its body once. The owner joins it exactly once; a thread that is never joined keeps its stack until the
/// process ends.
package final class HostThread: Sendable {
    private let thread: pthread_t

    /// Starts the thread; `name` is cut to 15 bytes by the kernel's rule.
    package init(name: String, body: @escaping @Sendable () -> Void) throws(HostError) {
        let box = Unmanaged.passRetained(
            Body {
                weft_name_thread(name)
                body()
            }
        )
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            box.toOpaque()
        )
        guard result == 0 else {
            box.release()
            throw HostError("start thread \(name)", .system(result), remedy: "raise TasksMax= of the unit")
        }
        self.thread = thread
    }

    /// Whether the caller runs on this thread.
    package var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Waits until the body has returned. Not from the thread itself.
    package func join() {
        precondition(!isCurrent, "a thread cannot wait for its own end")
        pthread_join(thread, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

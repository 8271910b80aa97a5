import NIOPosix
import Testing

/// Runs tests that wait in system calls on threads of their own.
///
/// Swift's pool has one thread for each processor. Two tests that wait for a socket would stop all others on a machine
/// with two, those included that they wait for.
struct BlockingTrait: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
    }
}

extension Trait where Self == BlockingTrait {
    /// See `BlockingTrait`.
    static var blocking: Self { Self() }
}

/// Has more threads than tests that run at the same time could keep waiting.
private final class ThreadExecutor: TaskExecutor {
    static let shared = ThreadExecutor()

    private let pool = NIOThreadPool(numberOfThreads: 64)

    private init() { pool.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

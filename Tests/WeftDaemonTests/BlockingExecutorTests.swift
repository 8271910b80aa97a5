import Glibc
import Synchronization
import Testing
import WeftTestRig

@testable import WeftDaemon

@Suite("An actor on a thread of its own", .timeLimit(.minutes(2)))
struct BlockingExecutorTests {
    /// Notes on which thread it runs and in which order.
    private actor Worker {
        nonisolated let executor: BlockingExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        private(set) var threads: Set<pthread_t> = []
        private(set) var order: [Int] = []
        private var isInside = false

        init() throws { executor = try BlockingExecutor() }

        func work(_ number: Int) {
            precondition(!isInside, "two jobs at a time")
            isInside = true
            threads.insert(pthread_self())
            order.append(number)
            isInside = false
        }

        /// Starts jobs on this actor, in order, which run after this one.
        func startMany(_ count: Int) -> [Task<Void, Never>] {
            (0..<count).map { number in Task { self.work(number) } }
        }

        func hold(until gate: Gate) { gate.wait() }
    }

    private final class Gate: Sendable {
        private let isOpen = Atomic(false)

        func open() { isOpen.store(true, ordering: .releasing) }

        func wait() {
            while !isOpen.load(ordering: .acquiring) { usleep(1000) }
        }
    }

    /// Whatever happens in `body`, the worker's thread ends.
    private func withWorker(_ body: (Worker) async throws -> Void) async throws {
        let worker = try Worker()
        do {
            try await body(worker)
        } catch {
            worker.executor.stop()
            throw error
        }
        worker.executor.stop()
    }

    @Test("Whoever calls, all its jobs run on one thread, one at a time")
    func oneThread() async throws {
        try await withWorker { worker in
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<20 {
                    group.addTask {
                        for number in 0..<50 {
                            await worker.work(caller * 100 + number)
                            await Task.yield()
                        }
                    }
                }
            }
            #expect(await worker.threads.count == 1)
            #expect(await worker.order.count == 1000)
        }
    }

    @Test("Jobs run in the order in which they came")
    func order() async throws {
        try await withWorker { worker in
            for task in await worker.startMany(1000) { await task.value }
            #expect(await worker.order == Array(0..<1000))
        }
    }

    @Test("A job that blocks holds up its own actor only")
    func blocking() async throws {
        try await withWorker { first in
            let gate = Gate()
            async let held: Void = first.hold(until: gate)
            // More than the machine has cores, so that a shared pool would be exhausted.
            for number in 0..<32 {
                try await withWorker { other in
                    await other.work(number)
                    #expect(await other.order == [number])
                }
            }
            gate.open()
            await held
        }
    }

    @Test("The tick comes again and again on the actor's thread, between its jobs, until it is switched off")
    func tick() async throws {
        try await withWorker { worker in
            worker.executor.setTick(every: .milliseconds(5)) { worker.assumeIsolated { $0.work(-1) } }
            for number in 0..<100 {
                await worker.work(number)
                try await Task.sleep(for: .milliseconds(1))
            }
            try await waitUntil("ten ticks") { await worker.order.count { $0 == -1 } >= 10 }
            worker.executor.setTick(every: .milliseconds(5), nil)
            // A job behind the switch: no tick that was due before is still to come after the next.
            await worker.work(1000)
            let count = await worker.order.count
            try await Task.sleep(for: .milliseconds(50))
            #expect(await worker.order.count <= count + 1)
            #expect(await worker.order.filter { $0 >= 0 } == Array(0..<100) + [1000])
            #expect(await worker.threads.count == 1)
        }
    }
}

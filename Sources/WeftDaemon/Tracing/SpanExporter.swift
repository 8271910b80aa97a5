internal import Logging
internal import ServiceLifecycle
internal import WeftConfig
internal import WeftCore
internal import WeftProxy
internal import WeftTransport

/// Reports requests as spans to a collector. The loops keep what is to be reported until it is taken, and never wait for
/// anything here: what comes too fast, or finds no collector, is counted and dropped.
actor SpanExporter {
    /// What the exporter needs of others; tests have their own.
    struct Actions: Sendable {
        let publish: @Sendable (Tracing?) -> Void
        let take: @Sendable () async throws -> RecordedBatch
        /// Posts a body and gives the status of the answer.
        var post: @Sendable (_ body: [UInt8], _ collector: PeerAddress, _ timeout: Duration) async throws -> Int
        let now: @Sendable () -> Instant
    }

    /// Requests that each loop keeps between two looks.
    private static let keptMax = 1024
    private static let timeout = Duration.seconds(10)
    /// When weftd stops.
    private static let lastTimeout = Duration.seconds(1)
    /// Answers after which the same may be sent again ("OTLP Specification", Failures).
    private static let passing: Set = [429, 502, 503, 504]

    private let node: String
    private let actions: Actions
    private let logger: Logger
    private var collector: PeerAddress?
    private var queue = SpanQueue()
    private var hasReported = false
    /// There has been a line in the log, and no success since.
    private var isInTrouble = false

    init(node: String, actions: Actions, logger: Logger) {
        self.node = node
        self.actions = actions
        self.logger = logger
    }

    /// Nil if there was never anything to report to.
    var counts: SpanCounts? { hasReported ? queue.counts : nil }

    func adopt(_ configuration: Configuration) {
        let tracing = configuration.tracing
        collector = tracing.otlp
        if collector == nil { queue.clear() } else { hasReported = true }
        let sampler = TraceSampler(part: tracing.sample)
        actions.publish(collector.map { _ in Tracing(sampler: sampler, keptMax: Self.keptMax) })
    }

    /// Once a second: takes what the loops have kept.
    func collect() async throws {
        guard collector != nil else { return }
        let batch = try await actions.take()
        queue.missed(batch.missed)
        queue.append(batch.decisions.flatMap { Span.all(of: $0, node: node) }, now: actions.now())
    }

    /// Sends what is due, one batch after the other.
    func deliver() async {
        while let collector, !Task.isCancelled, let batch = queue.next(now: actions.now()) {
            await send(batch, to: collector, timeout: Self.timeout)
        }
    }

    /// The last batch, for a moment.
    func finish() async throws {
        try await collect()
        let batch = queue.take()
        guard let collector, !batch.isEmpty else { return }
        await send(batch, to: collector, timeout: Self.lastTimeout)
    }

    private func send(_ batch: [Span], to collector: PeerAddress, timeout: Duration) async {
        do {
            let status = try await actions.post(try OTLPRequest(batch).json(), collector, timeout)
            if (200...299).contains(status) {
                queue.delivered(batch.count)
                recovered()
            } else if Self.passing.contains(status) {
                queue.giveBack(batch, now: actions.now())
                complain("status \(status)", collector)
            } else {
                queue.refused(batch.count)
                complain("status \(status)", collector)
            }
        } catch {
            queue.giveBack(batch, now: actions.now())
            // Given up because weftd stops.
            if !(error is CancellationError) { complain("\(error)", collector) }
        }
    }

    private func complain(_ reason: String, _ collector: PeerAddress) {
        guard !isInTrouble else { return }
        isInTrouble = true
        logger.warning("spans are not taken", metadata: ["collector": "\(collector)", "reason": "\(reason)"])
    }

    private func recovered() {
        guard isInTrouble else { return }
        isInTrouble = false
        logger.notice("spans are taken again")
    }
}

extension SpanExporter.Actions {
    init(_ plane: DataPlane, _ client: CollectorClient) {
        self.init(
            publish: { plane.publish($0) },
            take: { try await plane.takeTraced() },
            post: { try await client.post($0, to: "/v1/traces", at: $1, timeout: $2) },
            now: { .now() }
        )
    }
}

/// Runs the exporter: taking goes on while a collector takes its time.
struct SpanExportService: Service {
    private static let interval = Duration.seconds(1)

    let exporter: SpanExporter

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await repeatedly { try await exporter.collect() } }
                tasks.addTask { await repeatedly { await exporter.deliver() } }
                try await tasks.waitForAll()
            }
        }
        try await exporter.finish()
    }

    private func repeatedly(_ work: () async throws -> Void) async rethrows {
        while !Task.isCancelled {
            try await work()
            try? await Task.sleep(for: Self.interval)
        }
    }
}

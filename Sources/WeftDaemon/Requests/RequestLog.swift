internal import Logging
internal import WeftConfig
internal import WeftCore
internal import WeftTransport

/// The access log: a record in the journal for each request, or for each that went wrong, with its facts as fields, so
/// that `journalctl -u weftd WEFT_SERVICE=api WEFT_STATUS=503` works.
struct RequestLog {
    /// Records of one event loop; more would only keep the journal busy.
    private static let perSecondMax = 10_000

    let logger: Logger
    var mode = RequestLogMode.off

    /// What the loops have to record for it.
    var wanted: RecordedRequests {
        switch mode {
        case .off: .none
        case .errors: RecordedRequests(selection: .notable, keptMax: Self.perSecondMax)
        case .all: RecordedRequests(selection: .all, keptMax: Self.perSecondMax)
        }
    }

    func write(_ batch: RecordedBatch) {
        for decision in batch.decisions where mode == .all || decision.isNotable { write(decision) }
        guard batch.missed > 0, mode != .off else { return }
        logger.notice("requests not logged, as there were too many", metadata: ["count": "\(batch.missed)"])
    }

    private func write(_ decision: Decision) {
        guard let request = decision.request else { return }
        var fields: Logger.Metadata = [
            "id": "\(decision.id)", "connection": "\(request.connection)",
            "source": "\(decision.source.workload?.displayName ?? "remote")", "client": "\(decision.source.address)",
            "destination": "\(decision.destination)", "path": "\(decision.path.rawValue)",
            "security": "\(decision.security.rawValue)", "tries": "\(request.tries)",
            "microseconds": "\(decision.duration.wholeNanoseconds / 1000)", "bytes_out": "\(decision.bytesOut)",
            "bytes_in": "\(decision.bytesIn)",
        ]
        fields["service"] = decision.service.map { "\($0)" }
        fields["endpoint"] = request.target.map { "\($0)" }
        fields["status"] = request.status.map { "\($0)" }
        fields["flag"] = request.flag.map { "\($0)" }
        fields["identity"] = decision.identity.source.map { "\($0)" }
        // At a level that no setting hides: whoever asked for the log wants it.
        logger.notice("\(request.line)", metadata: fields)
    }
}

extension Decision {
    /// Whether something went wrong with the request, or nearly did.
    var isNotable: Bool {
        guard let request else { return false }
        return request.flag != nil || request.tries > 1 || request.status ?? 0 >= 500
    }
}

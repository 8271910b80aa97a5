internal import WeftCore

/// Which requests `weft tap` wants to see; nil is any.
struct TapFilter: Sendable, Equatable {
    /// A unit or a service, as the caller.
    var source: String?
    var service: String?
    /// How the path begins.
    var path: String?
    var statuses: ClosedRange<UInt16>?
    var latencyMin: Duration?

    func matches(_ decision: Decision) -> Bool {
        guard let request = decision.request else { return false }
        if let source, !isSource(source, decision.source, decision.identity.source) { return false }
        if let service, decision.service?.text != service { return false }
        if let path, !isPath(path, request.line) { return false }
        if let statuses, !(request.status.map(statuses.contains) ?? false) { return false }
        if let latencyMin, decision.duration < latencyMin { return false }
        return true
    }

    private func isSource(_ wanted: String, _ source: Source, _ identity: SpiffeID?) -> Bool {
        let unit = source.workload?.displayName
        return unit == wanted || unit == "\(wanted).service" || identity?.service?.text == wanted
    }

    private func isPath(_ prefix: String, _ line: String) -> Bool {
        guard let space = line.firstIndex(of: " ") else { return false }
        return line[line.index(after: space)...].hasPrefix(prefix)
    }
}

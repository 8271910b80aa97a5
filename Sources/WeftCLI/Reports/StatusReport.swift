internal import WeftAPI

/// What `weft status` prints: the host in a few lines, then each problem with its next command.
struct StatusReport {
    private let status: StatusResponse

    init(_ status: StatusResponse) { self.status = status }

    /// A problem when capture failed, or when any problem is an error; a warning alone is none.
    var exitStatus: ExitStatus {
        status.capture.state == .failed || status.problems.contains { $0.severity == .error } ? .problem : .good
    }

    func rendered(_ style: Style) -> String {
        let title = "weft \(status.version) on \(status.node), up \(humanDuration(seconds: status.uptimeSeconds))"
        var text = style.tinted(printable(title), .heading) + "\n\n"
        text += field("capture", captureText(status.capture), style, tint: tint(status.capture.state))
        for sentence in status.capture.degraded {
            text += field("degraded", sentence, style, tint: .warning)
        }
        let peers = "\(humanCount(status.peersAlive)) alive, \(humanCount(status.peersFailed)) failed"
        text += field("peers", peers, style, tint: status.peersFailed > 0 ? .warning : nil)
        text += field("connections", connectionsText, style)
        let found = "\(counted(status.services, "service")), \(counted(status.workloads, "workload"))"
        text += field("found", found, style)
        text += field("memory", humanBytes(status.memoryBytes), style)
        text += field("cpu", cpuText, style)
        return text + "\n" + problemsText(style)
    }

    private var connectionsText: String {
        let totals = status.connections
        return "\(humanCount(totals.open)) open, \(humanCount(totals.total)) since start, "
            + "\(humanCount(totals.failed)) failed"
    }

    private var cpuText: String {
        let used = humanDuration(seconds: status.cpuSeconds)
        guard status.uptimeSeconds > 0 else { return used }
        let share = max(0, min(1e6, status.cpuSeconds / status.uptimeSeconds * 100))
        return "\(used), \(share < 0.05 ? "under 0.1" : tenths(share))% of a core since start"
    }

    private func problemsText(_ style: Style) -> String {
        guard !status.problems.isEmpty else { return style.tinted("No problems.", .good) + "\n" }
        var text = "\(counted(status.problems.count, "problem")):\n"
        for problem in status.problems {
            let isError = problem.severity == .error
            let mark = isError ? style.failedMark : style.warningMark
            text += item(mark, "\(problem.text) [\(problem.code)]", style, tint: isError ? .failed : .warning)
            text += "    Next: \(printable(problem.next))\n"
        }
        return text
    }
}

/// What `weft on` and `weft off` print.
func captureReport(_ capture: CaptureStatus, _ style: Style) -> String {
    let verb = capture.state == .failed ? "" : "is "
    let sentence = "Capture \(verb)\(printable(captureText(capture)))."
    let text = wrapped(sentence, columns: style.columns).joined(separator: "\n")
    let degraded = capture.degraded.map { item(style.warningMark, $0, style, tint: .warning) }.joined()
    let next =
        switch capture.state {
        case .on: "weft status"
        case .off: "sudo weft on"
        case .failed: "weft check"
        }
    return style.tinted(text, tint(capture.state)) + "\n" + degraded + "Next: \(next)\n"
}

private func captureText(_ capture: CaptureStatus) -> String {
    switch capture.state {
    case .on: "on (scope \(capture.scope), \(counted(capture.rules, "rule")))"
    case .off: "off: all traffic goes past weft"
    case .failed: "failed: \(capture.error ?? "weftd gives no reason")"
    }
}

private func tint(_ state: CaptureStatus.State) -> Tint {
    switch state {
    case .on: .good
    case .off: .warning
    case .failed: .failed
    }
}

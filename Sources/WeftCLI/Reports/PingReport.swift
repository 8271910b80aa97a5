internal import WeftAPI

/// What `weft ping` prints: who calls whom, and a line for each layer that was reached.
struct PingReport {
    private let response: PingResponse

    init(_ response: PingResponse) { self.response = response }

    /// A problem when a layer fails; and when none was tried, as nothing is known then.
    var exitStatus: ExitStatus {
        !response.steps.isEmpty && response.steps.allSatisfy(\.isGood) ? .good : .problem
    }

    func rendered(_ style: Style) -> String {
        let title = "\(shownIdentity(response.source)) -> \(shownIdentity(response.destination))"
        let lines = response.steps.map { line($0, style) }.joined()
        return style.tinted(printable(title), .heading) + "\n\n"
            + (lines.isEmpty ? advice("weftd tried nothing.", next: "weft check", style, tint: .failed) : lines)
    }

    private func line(_ step: PingResponse.Step, _ style: Style) -> String {
        let layer = step.layer.rawValue
        let time = timeText(step)
        let gap = Self.layerColumns - layer.utf8.count + 2 + timeColumns - time.utf8.count
        let line = item(
            step.isGood ? style.goodMark : style.failedMark,
            step.text,
            style,
            tint: step.isGood ? .good : .failed,
            indent: 0,
            label: layer + String(repeating: " ", count: gap) + time + "  "
        )
        guard !step.isGood, let next = step.next else { return line }
        return line + "    Next: \(printable(next))\n"
    }

    private func timeText(_ step: PingResponse.Step) -> String { step.milliseconds.flatMap(humanRoundTrip) ?? "-" }

    /// Times stand to the right of theirs.
    private var timeColumns: Int { response.steps.map { timeText($0).utf8.count }.max() ?? 0 }

    private static let layerColumns = PingResponse.Layer.allCases.map(\.rawValue.utf8.count).max() ?? 0
}

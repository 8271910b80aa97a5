internal import WeftAPI

/// Writes events as they come: a line each, in columns as far as that can be known before the next one comes.
struct EventPrinter {
    private let output: any LiveOutput
    private let style: Style
    private let isJSON: Bool
    /// As wide as the widest so far, so that what follows lines up without waiting.
    private var nodeColumns = 0
    private(set) var hasShownAny = false

    /// `service-removed` and `service-changed` are the longest kinds.
    private static let kindColumns = 15
    /// A host's name that is longer moves its own line only.
    private static let nodeColumnsMax = 32

    init(_ session: Session, isJSON: Bool) {
        output = session.live
        style = session.style
        self.isJSON = isJSON
    }

    /// Writes the lines of a batch at once, after telling how many events are lacking before them.
    mutating func show(_ batch: EventBatch) throws(OutputFault) {
        if batch.missed > 0 {
            output.note("weft: missed \(counted(batch.missed, "event")) that weftd had forgotten.")
        }
        guard !batch.events.isEmpty else { return }
        hasShownAny = true
        var text = ""
        for event in batch.events { text += isJSON ? event.json.renderedLine() : line(event.row) }
        try output.write(text)
    }

    /// Tells people that there is nothing; in JSON, nothing is how that is told.
    func nothing() throws(OutputFault) {
        guard !isJSON else { return }
        try output.write(advice("Nothing has happened since weftd started.", next: "weft peers", style))
    }

    private mutating func line(_ row: EventRow) -> String {
        let node = shown(row.node) ?? "-"
        nodeColumns = max(nodeColumns, min(displayWidth(node), Self.nodeColumnsMax))
        let kind = printable(row.kind)
        var cells = [
            style.tinted(printable(row.time), .faint),
            style.tinted(kind, tint(row.kind)) + padding(kind, to: Self.kindColumns),
        ]
        // Name and payload, without dashes for what is lacking at the end.
        let rest =
            switch (shown(row.name), shown(row.payload)) {
            case (let name, let payload?): [name ?? "-", payload]
            case (let name?, nil): [name]
            case (nil, nil): [String]()
            }
        cells.append(rest.isEmpty ? node : node + padding(node, to: nodeColumns))
        return (cells + rest).joined(separator: "  ") + "\n"
    }

    /// Nil for what is empty, too.
    private func shown(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : printable($0) } }

    private func padding(_ text: String, to columns: Int) -> String {
        String(repeating: " ", count: max(0, columns - displayWidth(text)))
    }

    private func tint(_ kind: String) -> Tint? {
        switch kind {
        case "peer-joined", "peer-alive": .good
        case "peer-suspect": .warning
        case "peer-failed": .failed
        default: nil
        }
    }
}

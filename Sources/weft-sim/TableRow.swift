internal import WeftTestKit

/// What a measured pool is made of.
enum PoolKind: String, CaseIterable {
    case weft
    case weftPlain = "weft-plain"
    case model
    case modelPlain = "model-plain"

    var title: String {
        switch self {
        case .weft: "weft"
        case .weftPlain: "weft, Lifeguard off"
        case .model: "memberlist model"
        case .modelPlain: "memberlist model, Lifeguard off"
        }
    }

    var hasLifeguard: Bool { self == .weft || self == .model }
}

/// One pool's lines in the two tables: what it is like at rest, and how often it is wrong under bad conditions.
struct TableRow {
    let kind: PoolKind
    let measurement: PoolMeasurement

    static let speedHeader = """
        | nodes | | event known to all, s (median / worst) | tags known to all, s | idle, B/s per node (datagrams + state) \
        | crash: first sees it, s | crash: all know, s (median / worst) |
        |---|---|---|---|---|---|---|
        """

    var speed: String {
        Self.line([
            title, kind.title, pair(measurement.eventSpreads), seconds(measurement.tagSpread),
            "\(Int(measurement.idleDatagramBytes.rounded())) + \(Int(measurement.idleStreamBytes.rounded()))",
            seconds(median(measurement.firstDetections)), pair(measurement.fullDetections),
        ])
    }

    static let falseDeathsHeader = """
        | nodes | | 0 % loss | 5 % loss | 20 % loss | 2 % slow nodes: the healthy | 2 % slow nodes: the slow |
        |---|---|---|---|---|---|---|
        """

    var falseDeaths: String {
        let rates = [rate(.calm), rate(.someLoss), rate(.muchLoss), rate(.slowNodes), slowRate]
        return Self.line([title, kind.title] + rates)
    }

    static let footnote = """
        Times are virtual, from one seed. Bytes are those that a node sends, with IP and UDP headers and without \
        compression; state is its share of the exchanges of full state. The second table counts live members that anybody \
        declared dead, each of their incarnations once, per node and hour. Slow nodes stand still for 0.5 to 5 s and then \
        run for 10 to 300 ms, all the time. In pools of more than 3,000 nodes the periodic exchanges of state are left out, \
        and counted as what one of them takes over their interval.
        """

    private var title: String {
        let nodes = measurement.nodes
        return nodes < 1000 ? "\(nodes)" : "\(nodes / 1000)," + String(String(1000 + nodes % 1000).dropFirst())
    }

    private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

// MARK: - Cells

extension TableRow {
    private func result(_ condition: PoolCondition) -> PoolMeasurement.FalsePositives? {
        measurement.falsePositives.first { $0.condition == condition }
    }

    private func rate(_ condition: PoolCondition) -> String {
        result(condition).map { Self.rounded($0.healthy, over: $0.healthyNodeHours) } ?? "-"
    }

    private var slowRate: String {
        result(.slowNodes).map { Self.rounded($0.slow, over: $0.slowNodeHours) } ?? "-"
    }

    /// A rate with about three digits; "0" only for none at all.
    private static func rounded(_ count: Int, over hours: Double) -> String {
        guard count > 0, hours > 0 else { return "0" }
        let rate = Double(count) / hours
        let digits = rate >= 100 ? 0 : rate >= 10 ? 1 : rate >= 1 ? 2 : rate >= 0.1 ? 3 : 4
        return decimal(rate, digits)
    }

    private static func decimal(_ value: Double, _ digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((value * Double(scale)).rounded())
        guard digits > 0 else { return "\(whole)" }
        let rest = String(whole % scale)
        return "\(whole / scale)." + String(repeating: "0", count: digits - rest.count) + rest
    }

    private func median(_ values: [Duration?]) -> Duration? {
        let sorted = values.compactMap { $0 }.sorted()
        return sorted.isEmpty ? nil : sorted[sorted.count / 2]
    }

    /// Median and worst; a value that was never reached counts as the worst.
    private func pair(_ values: [Duration?]) -> String {
        let worst = values.contains { $0 == nil } ? nil : values.compactMap { $0 }.max()
        return "\(seconds(median(values))) / \(seconds(worst))"
    }

    private func seconds(_ duration: Duration?) -> String {
        guard let duration else { return "never" }
        let (seconds, attoseconds) = duration.components
        return Self.decimal(Double(seconds) + Double(attoseconds) * 1e-18, 2)
    }
}

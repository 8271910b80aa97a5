internal import WeftCore

extension Setting where Value == Duration {
    /// A number with a unit, such as `"250ms"`, within a range.
    static func duration(_ range: ClosedRange<Duration>) -> Setting {
        Setting { node throws(Mistake) in
            let bounds = "from \(durationText(range.lowerBound)) to \(durationText(range.upperBound))"
            let duration = try readDuration(node)
            guard range.contains(duration) else {
                let word = duration < range.lowerBound ? "too short" : "too long"
                throw Mistake(reason: "\(node.shown) is \(word)", remedy: "write a duration \(bounds)")
            }
            return duration
        }
    }

    /// A duration that the kernel counts in whole seconds.
    static func wholeSeconds(_ range: ClosedRange<Duration>) -> Setting {
        let duration = Setting.duration(range)
        return Setting { node throws(Mistake) in
            let value = try duration.parse(node)
            guard value == .seconds(value.components.seconds) else {
                throw Mistake(
                    reason: "\(node.shown) is not a whole number of seconds, and the kernel counts this in seconds",
                    remedy: "write \"\(value.components.seconds)s\" or \"\(value.components.seconds + 1)s\""
                )
            }
            return value
        }
    }
}

private let units: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
]

private let durationRemedy = "write a whole number and one unit (ms, s, m, h or d), such as \"10s\" or \"250ms\""

/// Longer ones, in milliseconds, are beyond every range; the limit keeps the arithmetic exact. It is 31 years.
private let millisecondsMax: Int64 = 1_000_000_000_000

private func readDuration(_ node: SettingNode) throws(Mistake) -> Duration {
    if case .integer(let number) = node.content, number >= 0 {
        throw Mistake(
            reason: "\(number) has no unit",
            remedy: "write \"\(number)s\" for seconds; the units are ms, s, m, h and d"
        )
    }
    guard case .text(let text) = node.content else {
        throw .kind(of: node, needed: "a duration", remedy: durationRemedy)
    }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unitName = text.dropFirst(digits.count)
    guard !digits.isEmpty else { throw Mistake(reason: "\(node.shown) is not a duration", remedy: durationRemedy) }
    guard !unitName.isEmpty else {
        throw Mistake(
            reason: "\(node.shown) has no unit",
            remedy: "write \"\(shortened(text))s\" for seconds; the units are ms, s, m, h and d"
        )
    }
    guard let unit = units.first(where: { $0.name == unitName }) else {
        throw Mistake(reason: "\(node.shown) is not a duration", remedy: durationRemedy)
    }
    guard let number = Int64(digits), number <= millisecondsMax / unit.milliseconds else {
        throw Mistake(reason: "\(node.shown) is too long", remedy: durationRemedy)
    }
    return .milliseconds(number * unit.milliseconds)
}

/// The shortest way to write a duration of whole milliseconds: `250ms`, `90s`, `2m`, `1h`, `30d`.
func durationText(_ duration: Duration) -> String {
    let milliseconds = duration.wholeNanoseconds / 1_000_000
    let unit = units.last { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? ("s", 1000)
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
}

internal import ArgumentParser

/// A span of time as the configuration writes it, in whole seconds: a whole number and one unit, `90s`, `30m`, `24h`, `7d`.
struct TimeSpan: ExpressibleByArgument, Equatable {
    let seconds: Int

    /// A year, the most that anything of weft is good for by request.
    private static let secondsMax = 366 * 86_400

    init(seconds: Int) { self.seconds = seconds }

    /// Nil for anything else, for nothing at all (`0s`), and for more than a year.
    init?(argument: String) {
        let digits = argument.prefix { ("0"..."9").contains($0) }
        let unit: Int
        switch argument.dropFirst(digits.count) {
        case "s": unit = 1
        case "m": unit = 60
        case "h": unit = 3600
        case "d": unit = 86_400
        default: return nil
        }
        guard let number = Int(digits), (1...Self.secondsMax / unit).contains(number) else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String {
        seconds.isMultiple(of: 3600) ? "\(seconds / 3600)h" : "\(seconds)s"
    }
}

extension WallTime {
    /// `2026-11-22T16:18:00.123Z` (RFC 3339, UTC, milliseconds).
    package var rfc3339: String {
        let (days, rest) = millisecondsSince1970.quotientAndRemainder(flooringBy: 86_400_000)
        let (year, month, day) = Self.civil(fromDays: days)
        let time = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Self.padded($0, 2) }
        let date = [Self.padded(year, 4), Self.padded(month, 2), Self.padded(day, 2)]
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":")).\(Self.padded(rest % 1000, 3))Z"
    }

    /// Days since 1970-01-01 to the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
    /// algorithms", civil_from_days).
    static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooringBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Int64 {
    /// Division that rounds down, so that times before 1970 come out right.
    func quotientAndRemainder(flooringBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

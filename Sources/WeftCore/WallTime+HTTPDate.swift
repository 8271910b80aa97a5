extension WallTime {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7, IMF-fixdate), for the years 0 to 9999.
    package var httpDate: String {
        let (days, rest) = millisecondsSince1970.quotientAndRemainder(flooringBy: 86_400_000)
        let (year, month, day) = Self.civil(fromDays: days)
        // 1970-01-01 was a Thursday, the first name.
        let weekday = Self.weekdays[Int(days.quotientAndRemainder(flooringBy: 7).1)]
        let date = "\(Self.padded(day, 2)) \(Self.months[Int(month) - 1]) \(Self.padded(year, 4))"
        let time = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Self.padded($0, 2) }
        return "\(weekday), \(date) \(time.joined(separator: ":")) GMT"
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

/// A number of bytes for people: `0 B`, `1023 B`, `1.2 MiB`, up to EiB, with one digit after the point.
func humanBytes(_ bytes: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard bytes >= 1024 else { return "\(bytes) B" }
    var value = Double(bytes) / 1024
    var index = 0
    // 1023.95 and more would round to 1024.0, which is 1.0 of the next unit.
    while value >= 1023.95, index + 1 < units.count {
        value /= 1024
        index += 1
    }
    return "\(tenths(value)) \(units[index])"
}

/// A span of time for people, in two units at most: `12ms`, `4.2s`, `37s`, `3m12s`, `5h03m`, `12d4h`.
/// Anything below zero, or no number at all, counts as zero.
func humanDuration(seconds: Double) -> String {
    guard seconds > 0 else { return "0ms" }
    // Beyond this a Double no longer counts seconds one by one, and no host has been up for 285 million years.
    let seconds = min(seconds, 9e15)
    if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded()))ms" }
    if seconds < 9.95 { return "\(tenths(seconds))s" }
    let whole = Int(seconds.rounded())
    let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return "\(minutes)m\(twoDigits(whole % 60))s" }
    if whole < 86400 { return "\(hours)h\(twoDigits(minutes))m" }
    return "\(days)d\(hours)h"
}

/// A round-trip time for people: as a span, but with one digit after the point below 10 ms, where hosts of one network
/// differ: `<0.1ms`, `0.4ms`, `12ms`, `1.2s`. Nil for what is no number or below zero.
func humanRoundTrip(milliseconds: Double) -> String? {
    guard milliseconds >= 0 else { return nil }
    if milliseconds < 0.05 { return "<0.1ms" }
    return milliseconds < 9.95 ? "\(tenths(milliseconds))ms" : humanDuration(seconds: milliseconds / 1000)
}

/// A count for people: `1,234,567`.
func humanCount(_ count: some BinaryInteger) -> String {
    let digits = String(count.magnitude)
    var grouped = count < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { grouped.append(",") }
        grouped.append(digit)
    }
    return grouped
}

/// `1 service`, `2 services`.
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(humanCount(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// `value` with one digit after the point.
func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

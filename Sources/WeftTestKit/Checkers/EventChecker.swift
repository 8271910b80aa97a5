internal import WeftCore
internal import WeftGossip

/// Every user event reaches every node that was in the pool when it was sent, as long as anybody who has it lives.
struct EventChecker {
    /// Events by the payload, which is different for each, in the order of sending.
    private var sent: [Sent] = []
    /// Which events the process on each host has been given, by number.
    private var received: [[Bool]] = []

    private struct Sent {
        let time: LamportTime
        let start: Instant
    }

    init(hostCount: Int) { received = Array(repeating: [], count: hostCount) }

    var count: Int { sent.count }

    /// The payload of the next event.
    var nextPayload: [UInt8] { Array("event \(sent.count)".utf8) }

    mutating func wasSent(at time: LamportTime, now: Instant) { sent.append(Sent(time: time, start: now)) }

    /// A new process knows nothing.
    mutating func processStarted(on host: Int) { received[host] = [] }

    mutating func wasDelivered(_ payload: [UInt8], on host: Int) -> String? {
        let text = String(decoding: payload, as: UTF8.self)
        guard text.hasPrefix("event "), let number = Int(text.dropFirst(6)), number <= sent.count else {
            return "n\(host) delivers an event that nobody sent: \(text)"
        }
        while received[host].count <= number { received[host].append(false) }
        received[host][number] = true
        return nil
    }

    func has(_ host: Int, _ number: Int) -> Bool { number < received[host].count && received[host][number] }

    /// Everybody who ought to have an event has it.
    func isComplete(_ number: Int, _ truths: [HostTruth]) -> Bool { lacking(number, truths).isEmpty }

    /// Who ought to have an event, and has it not. Whoever joined at a later time of the event clock need not: Serf drops
    /// events from before a join, and the clocks of those who had not heard of each other differ.
    private func lacking(_ number: Int, _ truths: [HostTruth]) -> [Int] {
        truths.indices.filter {
            truths[$0].isUp && truths[$0].isInPool && !has($0, number) && sent[number].time >= truths[$0].firstEventTime
        }
    }

    /// Events that somebody has and others lack.
    func missing(_ truths: [HostTruth]) -> [String] {
        var missing: [String] = []
        let up = truths.indices.filter { truths[$0].isUp && truths[$0].isInPool }
        for number in sent.indices {
            guard let holder = up.first(where: { has($0, number) }) else { continue }
            let lacking = lacking(number, truths)
            if !lacking.isEmpty { missing.append("event \(number), which n\(holder) has, is unknown on \(lacking)") }
        }
        return missing
    }
}

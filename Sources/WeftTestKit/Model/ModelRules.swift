internal import WeftCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Memberlist's settings and formulas, written down from its documentation (serf-protocol.md sections 6 and 7). LAN.
package struct ModelRules: Sendable {
    package var lifeguard = true
    package var probeInterval = Duration.seconds(1)
    package var probeTimeout = Duration.milliseconds(500)
    package var indirectChecks = 3
    package var suspicionMult = 4
    package var suspicionMaxMult = 6
    package var gossipInterval = Duration.milliseconds(200)
    package var gossipNodes = 3
    package var retransmitMult = 4
    package var gossipToTheDead = Duration.seconds(30)
    package var pushPullInterval = Duration.seconds(30)
    package var budget = 1400

    package init() {}

    /// Health runs from 0 to 7 with Lifeguard.
    var healthMaximum: Int { lifeguard ? 7 : 0 }

    /// RetransmitMult x ceil(log10(n + 1)).
    func retransmits(_ count: Int) -> Int { retransmitMult * Int(log10(Double(count + 1)).rounded(.up)) }

    /// Full exchanges are rarer in large pools: x (ceil(log2 n - 5) + 1) above 32 members.
    func exchangeInterval(_ count: Int) -> Duration {
        count <= 32 ? pushPullInterval : pushPullInterval * (Int((log2(Double(count)) - 5).rounded(.up)) + 1)
    }

    /// SuspicionMult x max(1, log10 n) x ProbeInterval.
    func shortestSuspicion(_ count: Int) -> Duration {
        probeInterval * (suspicionMult * Int(max(1, log10(Double(max(1, count)))) * 1000)) / 1000
    }

    /// How many others have to agree for the shortest suspicion.
    func wantedConfirmations(_ count: Int) -> Int {
        let wanted = lifeguard ? suspicionMult - 2 : 0
        return count - 2 < wanted ? 0 : wanted
    }

    /// max - ln(c + 1) / ln(k + 1) x (max - min), not below min.
    func suspicion(_ count: Int, confirmations: Int) -> Duration {
        let shortest = shortestSuspicion(count)
        let wanted = wantedConfirmations(count)
        guard wanted > 0 else { return shortest }
        let longest = shortest * suspicionMaxMult
        let share = log(Double(confirmations + 1)) / log(Double(wanted + 1))
        let seconds = longest.inSeconds - share * (longest.inSeconds - shortest.inSeconds)
        return max(shortest, .milliseconds(Int64(seconds * 1000)))
    }
}

/// One member under suspicion.
struct ModelSuspicion: Sendable {
    let began: Instant
    var deadline: Instant
    /// The first accuser, and those who agreed.
    var accusers: [Int32]
}

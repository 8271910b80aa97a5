/// How hard the daemon sheds load.
package enum Pressure: Hashable, Sendable {
    case none
    /// Let in this part of what was in when shedding began, 5...100 percent or, while it recovers, more.
    case shedding(percent: Int)
}

/// When the daemon sheds load, and how much of it: from its memory and CPU use, with hysteresis. One for the daemon, on
/// the control side; `FairAdmission` of each loop and service is told of a change and decides who has to go.
///
/// ```
///              3 samples above 95 % of the CPU limit,
///              or one above 90 % of the memory limit
///    none ────────────────────────────────────────────► shedding ─┐ above: x 0.8, down to 5 %
///      ▲                                                 │    ▲    │ between: as it is
///      └── above 100 % ◄── below 85 % and 80 %: + 5 % ◄──┘    └────┘
/// ```
///
/// Down by a factor and up by a step is what makes many such controllers settle, and share fairly (Chiu and Jain, 1989).
/// The band between the marks keeps one from swinging: at the load that a host can just carry, use lies in the band and
/// nothing changes. CPU has to be high three times, as a burst is over sooner; memory kills, and is believed at once.
package struct OverloadGovernor: Sendable, Equatable {
    /// What the daemon may use; nil is no limit.
    package struct Limits: Sendable, Equatable {
        package var memoryBytes: UInt64?
        /// In cores: the quota of its cgroup, or the cores of the host.
        package var cpuCores: Double?

        package init(memoryBytes: UInt64? = nil, cpuCores: Double? = nil) {
            self.memoryBytes = memoryBytes
            self.cpuCores = cpuCores
        }
    }

    /// One look at the daemon. Taken each second or faster; the marks are in samples.
    package struct Sample: Sendable, Equatable {
        package var memoryBytes: UInt64
        /// Cores used since the sample before.
        package var cpuCores: Double

        package init(memoryBytes: UInt64, cpuCores: Double) {
            self.memoryBytes = memoryBytes
            self.cpuCores = cpuCores
        }
    }

    private static let memoryHigh = 0.90
    private static let memoryLow = 0.80
    private static let cpuHigh = 0.95
    private static let cpuLow = 0.85
    private static let cpuSamplesMin = 3
    private static let percentMin = 5
    private static let recoveryStep = 5

    private enum Level { case low, between, high }

    /// They may change at any time; what is shed follows with the next samples.
    package var limits: Limits
    private var busySamples = 0
    package private(set) var pressure = Pressure.none
    /// Times that shedding began.
    package private(set) var episodes: UInt64 = 0

    package init(limits: Limits) { self.limits = limits }

    /// Takes a sample into account. Gives the pressure if it has changed.
    package mutating func sampled(_ sample: Sample) -> Pressure? {
        let before = pressure
        switch (pressure, level(of: sample)) {
        case (.none, .high):
            pressure = .shedding(percent: 80)
            episodes += 1
        case (.none, _), (.shedding, .between): break
        case (.shedding(let percent), .high): pressure = .shedding(percent: max(Self.percentMin, percent * 4 / 5))
        case (.shedding(let percent), .low):
            let next = percent + Self.recoveryStep
            pressure = next > 100 ? .none : .shedding(percent: next)
        }
        return pressure == before ? nil : pressure
    }

    private mutating func level(of sample: Sample) -> Level {
        let memory = share(Double(sample.memoryBytes), of: limits.memoryBytes.map { Double($0) })
        let cpu = share(sample.cpuCores, of: limits.cpuCores)
        busySamples = cpu > Self.cpuHigh ? min(busySamples + 1, Self.cpuSamplesMin) : 0
        if memory > Self.memoryHigh || busySamples >= Self.cpuSamplesMin { return .high }
        return memory < Self.memoryLow && cpu < Self.cpuLow ? .low : .between
    }

    private func share(_ used: Double, of limit: Double?) -> Double {
        guard let limit, limit > 0 else { return 0 }
        return used / limit
    }
}

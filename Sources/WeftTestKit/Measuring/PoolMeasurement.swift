/// What was measured in one pool. Times are virtual, and follow from the seed.
package struct PoolMeasurement: Sendable {
    package var nodes = 0
    /// From sending a user event until everybody has it, one for each event; nil when not within the limit.
    package var eventSpreads: [Duration?] = []
    /// From a change of tags until everybody has them.
    package var tagSpread: Duration?
    /// Bytes that a node sends per second when nothing happens: datagrams with their headers, and its share of the
    /// exchanges of state.
    package var idleDatagramBytes = 0.0
    package var idleStreamBytes = 0.0
    /// From a crash until somebody shows the member as failed, and until everybody does; one for each crash.
    package var firstDetections: [Duration?] = []
    package var fullDetections: [Duration?] = []
    package var falsePositives: [FalsePositives] = []

    package init() {}

    /// Live members that were declared dead under one condition.
    package struct FalsePositives: Sendable {
        package let condition: PoolCondition
        /// How often a healthy member was, each of its incarnations counted once.
        package var healthy = 0
        /// How often a slow member was.
        package var slow = 0
        package var healthyNodeHours = 0.0
        package var slowNodeHours = 0.0

        /// Of healthy members, per node and hour.
        package var healthyRate: Double { healthyNodeHours > 0 ? Double(healthy) / healthyNodeHours : 0 }
    }
}

/// What a pool is put through.
package enum PoolCondition: String, CaseIterable, Sendable {
    case calm
    /// 5 % of the packets are lost.
    case someLoss = "loss5"
    /// 2 % of the nodes are slow.
    case slowNodes = "slow"
    /// 20 % of the packets are lost.
    case muchLoss = "loss20"
}

/// How much is measured: longer observation gives steadier rates of rare things.
package struct MeasuringEffort: Sendable {
    package var events = 5
    package var crashes = 5
    /// How long idle traffic is watched.
    package var idleTime = Duration.seconds(20)
    /// How long each condition lasts.
    package var conditionTime = Duration.seconds(120)
    /// The same for those in which most nodes send as much as they may, and which take a hundred times as long to simulate.
    package var busyTime = Duration.seconds(120)
    /// Between conditions, for the effects of the last one to end.
    package var restTime = Duration.seconds(30)
    package var conditions = PoolCondition.allCases
    /// Members exchange their state from time to time, as they ought to.
    package var exchanges = true

    package init() {}

    /// What is sensible for a pool of this size.
    package init(nodes: Int) {
        switch nodes {
        case ...300: (conditionTime, busyTime) = (.seconds(1800), .seconds(1800))
        case ...3000: conditionTime = .seconds(300)
        default:
            (conditionTime, busyTime) = (.seconds(60), .seconds(60))
            idleTime = .seconds(10)
            exchanges = false
        }
        crashes = max(1, min(20, nodes / 10))
    }

    /// How long a condition lasts.
    func time(of condition: PoolCondition) -> Duration {
        switch condition {
        case .calm, .someLoss: conditionTime
        case .slowNodes, .muchLoss: busyTime
        }
    }
}

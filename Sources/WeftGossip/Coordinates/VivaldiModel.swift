/// This node's own coordinate, improved by each measured round trip (section 8.9, Serf's coordinate client).
package struct VivaldiModel: Sendable {
    /// Where this node is.
    package private(set) var coordinate: Coordinate
    /// How often a measurement made nonsense of the coordinate and it began anew.
    package private(set) var resets: UInt64 = 0
    /// The last differences between measured and estimated round trips, a ring.
    private var residuals: [Double] = []
    private var residualIndex = 0

    /// Nothing is known yet, unless a place is given.
    package init(startingAt coordinate: Coordinate = .origin) { self.coordinate = coordinate }

    static let errorMaximum = 1.5
    static let heightMinimum = 1e-5
    static let zeroThreshold = 1e-6
    /// How quickly the error estimate follows (ce) and the place moves (cc).
    private static let errorGain = 0.25
    private static let moveGain = 0.25
    private static let residualCount = 20
    /// Places this far out, in seconds, are pulled back by 1 second per measurement.
    private static let gravity = 150.0
    /// Longer round trips are not believed.
    package static let roundTripMaximum = 10.0

    /// Learns from one round trip in seconds, already filtered, to a node at `other`.
    package mutating func update(
        roundTrip: Double,
        other: Coordinate,
        using rng: inout some RandomNumberGenerator
    ) {
        guard other.isValid, (0...Self.roundTripMaximum).contains(roundTrip) else { return }
        move(roundTrip, other, &rng)
        adjust(roundTrip, other)
        pull(&rng)
        guard !coordinate.isValid else { return }
        coordinate = .origin
        resets += 1
    }

    private mutating func move(_ roundTrip: Double, _ other: Coordinate, _ rng: inout some RandomNumberGenerator) {
        guard let distance = coordinate.distance(to: other) else { return }
        let measured = max(roundTrip, Self.zeroThreshold)
        let wrongness = abs(distance - measured) / measured
        let weight = coordinate.error / max(coordinate.error + other.error, Self.zeroThreshold)
        let error = Self.errorGain * weight * wrongness + coordinate.error * (1 - Self.errorGain * weight)
        coordinate.error = min(error, Self.errorMaximum)
        coordinate.apply(force: Self.moveGain * weight * (measured - distance), from: other, using: &rng)
    }

    private mutating func adjust(_ roundTrip: Double, _ other: Coordinate) {
        let residual = roundTrip - coordinate.rawDistance(to: other)
        if residuals.count < Self.residualCount {
            residuals.append(residual)
        } else {
            residuals[residualIndex] = residual
        }
        residualIndex = (residualIndex + 1) % Self.residualCount
        coordinate.adjustment = residuals.reduce(0, +) / Double(2 * Self.residualCount)
    }

    /// Keeps the whole pool from drifting away.
    private mutating func pull(_ rng: inout some RandomNumberGenerator) {
        guard let distance = Coordinate.origin.distance(to: coordinate) else { return }
        let share = distance / Self.gravity
        coordinate.apply(force: -(share * share), from: .origin, using: &rng)
    }
}

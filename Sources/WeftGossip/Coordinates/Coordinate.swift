#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif
/// A node's place in Vivaldi's space, where the distance of two nodes is the round trip between them (section 8.9). All
/// in seconds, except `error`.
package struct Coordinate: Sendable, Equatable {
    /// The place proper: 8 dimensions, as Serf has.
    package var vector: SIMD8<Double>
    /// How much the place is to be trusted: 0 is certain, 1.5 knows nothing.
    package var error: Double
    /// A correction from recent measurements for what the space cannot express.
    package var adjustment: Double
    /// The access link's part of each round trip.
    package var height: Double

    package init(vector: SIMD8<Double>, error: Double, adjustment: Double, height: Double) {
        self.vector = vector
        self.error = error
        self.adjustment = adjustment
        self.height = height
    }

    /// Where every node starts.
    package static let origin = Coordinate(
        vector: .zero,
        error: VivaldiModel.errorMaximum,
        adjustment: 0,
        height: VivaldiModel.heightMinimum
    )

    /// Every part is a finite number.
    package var isValid: Bool {
        error.isFinite && adjustment.isFinite && height.isFinite && vector.indices.allSatisfy { vector[$0].isFinite }
    }

    /// The estimated round trip between two places, in whole nanoseconds as Serf counts it; nil when it is out of any
    /// range that a round trip could have.
    package func distance(to other: Coordinate) -> Double? {
        let raw = rawDistance(to: other)
        let adjusted = raw + adjustment + other.adjustment
        let distance = adjusted > 0 ? adjusted : raw
        guard distance.isFinite, abs(distance) < Self.distanceLimit else { return nil }
        return (distance * 1e9).rounded(.towardZero) / 1e9
    }

    /// A day: beyond it a coordinate is a lie, and nanoseconds stay well inside an integer.
    private static let distanceLimit = 86_400.0

    /// The distance without adjustments.
    func rawDistance(to other: Coordinate) -> Double {
        (vector - other.vector).magnitude + height + other.height
    }

    /// Moves by `force` away from (or, when negative, towards) another place.
    mutating func apply(force: Double, from other: Coordinate, using rng: inout some RandomNumberGenerator) {
        let difference = vector - other.vector
        let length = difference.magnitude
        guard length > VivaldiModel.zeroThreshold else {
            vector += Self.randomDirection(using: &rng) * force
            return
        }
        vector += difference * (1 / length) * force
        height = max(VivaldiModel.heightMinimum, height + (height + other.height) * force / length)
    }

    /// A unit vector in any direction: two nodes in one place have to part somewhere.
    private static func randomDirection(using rng: inout some RandomNumberGenerator) -> SIMD8<Double> {
        var direction = SIMD8<Double>.zero
        for index in direction.indices { direction[index] = Double.random(in: -0.5..<0.5, using: &rng) }
        let length = direction.magnitude
        guard length > VivaldiModel.zeroThreshold else { return SIMD8(1, 0, 0, 0, 0, 0, 0, 0) }
        return direction * (1 / length)
    }
}

extension SIMD8<Double> {
    /// Euclid's length. Added up in order, so that results equal Serf's to the last digits.
    fileprivate var magnitude: Double {
        var sum = 0.0
        for index in indices { sum += self[index] * self[index] }
        return sum.squareRoot()
    }
}

// MARK: - Wire form

extension Coordinate {
    /// Reads the payload of an ack. Nil for another number of dimensions, and for numbers that no honest node arrives
    /// at: they would throw ours off.
    package init?(_ payload: CoordinatePayload) {
        guard payload.vector.count == 8 else { return nil }
        self.init(
            vector: SIMD8(payload.vector),
            error: payload.error,
            adjustment: payload.adjustment,
            height: payload.height
        )
        guard isValid, isPlausible else { return nil }
    }

    private var isPlausible: Bool {
        (0...VivaldiModel.errorMaximum).contains(error) && (0...Self.distanceLimit).contains(height)
            && abs(adjustment) <= Self.distanceLimit && vector.magnitude <= Self.distanceLimit
    }

    /// What an ack carries.
    package var payload: CoordinatePayload {
        CoordinatePayload(
            vector: vector.indices.map { vector[$0] },
            error: error,
            adjustment: adjustment,
            height: height
        )
    }
}

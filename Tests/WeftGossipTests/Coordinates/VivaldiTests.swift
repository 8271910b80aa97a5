import Testing
import WeftCore

@testable import WeftGossip

@Suite("Network coordinates")
struct VivaldiTests {
    private let run = FormulaVectors.all.vivaldi.data

    private func coordinate(_ place: FormulaVectors.Vivaldi.Place) -> Coordinate {
        Coordinate(
            vector: SIMD8(place.Vec),
            error: place.Error,
            adjustment: place.Adjustment,
            height: place.Height
        )
    }

    @Test func distanceEqualsSerfs() throws {
        let distance = try #require(coordinate(run.start).distance(to: coordinate(run.other)))
        #expect(abs(distance - run.distance_s_startToOther) < 1e-12)
    }

    @Test func updatesEqualSerfs() {
        var random = WireRandom(seed: 1)
        var model = VivaldiModel(startingAt: coordinate(run.start))
        var filter = MedianOfThree()
        for step in run.steps {
            model.update(roundTrip: filter.record(step.rtt_s), other: coordinate(run.other), using: &random)
            let (got, wanted) = (model.coordinate, coordinate(step.result))
            for index in got.vector.indices { #expect(abs(got.vector[index] - wanted.vector[index]) < 1e-9) }
            #expect(abs(got.error - wanted.error) < 1e-9)
            #expect(abs(got.adjustment - wanted.adjustment) < 1e-9)
            #expect(abs(got.height - wanted.height) < 1e-9)
        }
    }

    /// Three sites in a row: the estimates come near the truth.
    @Test func distancesAreLearned() throws {
        var random = WireRandom(seed: 7)
        let positions = [0.0, 0.010, 0.035]
        var models = positions.map { _ in VivaldiModel() }
        for _ in 0..<2000 {
            let (left, right) = (random.count(2), random.count(2))
            guard left != right else { continue }
            let other = models[right].coordinate
            models[left].update(
                roundTrip: abs(positions[left] - positions[right]),
                other: other,
                using: &random
            )
        }
        let estimate = try #require(models[0].coordinate.distance(to: models[2].coordinate))
        #expect(abs(estimate - 0.035) < 0.004)
    }

    @Test(arguments: [Double.nan, .infinity, 1e300, -1e300])
    func nonsenseIsRefused(value: Double) {
        let vector = Array(repeating: 0.0, count: 8)
        let bad = [
            CoordinatePayload(vector: [value] + vector.dropFirst(), error: 1, adjustment: 0, height: 1e-5),
            CoordinatePayload(vector: vector, error: value, adjustment: 0, height: 1e-5),
            CoordinatePayload(vector: vector, error: 1, adjustment: value, height: 1e-5),
            CoordinatePayload(vector: vector, error: 1, adjustment: 0, height: value),
            CoordinatePayload(vector: [0], error: 1, adjustment: 0, height: 1e-5),
        ]
        for payload in bad { #expect(Coordinate(payload) == nil) }
    }

    @Test func impossibleRoundTripsAreIgnored() {
        var random = WireRandom(seed: 1)
        var model = VivaldiModel()
        for seconds in [-1, 11, .nan, .infinity] { model.update(roundTrip: seconds, other: .origin, using: &random) }
        #expect(model.coordinate == .origin)
    }
}

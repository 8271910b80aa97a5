import Testing
import WeftTestKit

/// The measurements of `weft-sim table`, small: weft's core must be at least as good as the model of memberlist.
@Suite struct MeasuringTests {
    private static var effort: MeasuringEffort {
        var effort = MeasuringEffort()
        effort.crashes = 3
        effort.conditionTime = .seconds(30)
        effort.restTime = .seconds(5)
        effort.conditions = [.calm, .someLoss]
        return effort
    }

    @Test func weftIsAtLeastAsGoodAsTheModel() {
        let weft = MeasuredPool<GossipProcess>(count: 40, lifeguard: true, seed: 7, effort: Self.effort).run()
        let model = MeasuredPool<ModelProcess>(count: 40, lifeguard: true, seed: 7, effort: Self.effort).run()
        #expect(median(weft.eventSpreads) <= median(model.eventSpreads) + .milliseconds(200))
        #expect(median([weft.tagSpread]) <= median([model.tagSpread]) + .milliseconds(400))
        #expect(median(weft.fullDetections) <= median(model.fullDetections) + .seconds(3))
        // A ping and an ack with a coordinate, once a second.
        #expect((200...350).contains(weft.idleDatagramBytes))
        #expect((0.9...1.1).contains(weft.idleStreamBytes / model.idleStreamBytes))
        for result in weft.falsePositives + model.falsePositives { #expect(result.healthy == 0) }
        #expect(weft.falsePositives.count == 2)
    }

    /// Without Lifeguard's confirmations a suspicion has its shortest time from the start.
    @Test func withoutLifeguardDetectionStillWorks() {
        let plain = MeasuredPool<GossipProcess>(count: 20, lifeguard: false, seed: 8, effort: Self.effort).run()
        #expect(plain.fullDetections.allSatisfy { $0.map { $0 < .seconds(15) } ?? false })
    }

    private func median(_ values: [Duration?]) -> Duration {
        let sorted = values.map { $0 ?? .seconds(1000) }.sorted()
        return sorted[sorted.count / 2]
    }
}

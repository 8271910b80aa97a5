import Testing
import WeftCore
import WeftTestKit

/// The simulator itself: what it promises to the runs.
@Suite struct SimulatorTests {
    @Test func eventsComeInTheOrderOfTheirTimesAndThenOfTheirAdding() {
        var random = SeededRandom(seed: 1)
        var queue = EventQueue<Int>()
        var expected: [(UInt64, Int)] = []
        for number in 0..<500 {
            let time = UInt64(random.number(0...40))
            queue.add(number, at: Instant(nanoseconds: time))
            expected.append((time, number))
        }
        expected.sort { $0 < $1 }
        for (time, number) in expected {
            let next = queue.removeFirst()
            #expect(next?.time.nanoseconds == time)
            #expect(next?.event == number)
        }
        #expect(queue.removeFirst() == nil)
    }

    @Test(arguments: [1, 0.98, 1.02, 0.5, 3])
    func aClockIsRightAboutWhenItShowsATime(rate: Double) {
        let start = Instant(nanoseconds: 5_000_000_000)
        let clock = HostClock(showing: Instant(nanoseconds: 77), at: start, rate: rate)
        for offset in [UInt64(0), 1, 2, 1000, 999_999_937, 3_600_000_000_000] {
            let local = Instant(nanoseconds: 77 + offset)
            let global = clock.global(local)
            #expect(clock.local(global) >= local)
            if global > start {
                #expect(clock.local(Instant(nanoseconds: global.nanoseconds - 1)) < local || rate > 1)
            }
        }
    }

    @Test func theNetworkLosesDelaysAndDoublesAsItIsTold() {
        var random = SeededRandom(seed: 2)
        var network = SimulatedNetwork()
        network.conditions = LinkConditions(
            loss: 0.25,
            delay: .milliseconds(5),
            jitter: .milliseconds(2),
            duplication: 0.5
        )
        let fates = (0..<4000).map { _ in network.copies(from: 0, to: 1, using: &random) }
        #expect((900...1100).contains(fates.count { $0.isEmpty }))
        #expect((1400...1600).contains(fates.count { $0.count == 2 }))
        let delays = fates.flatMap { $0 }
        #expect(delays.allSatisfy { $0 >= .milliseconds(5) && $0 <= .milliseconds(7) })
    }

    @Test func aCutHoldsInItsDirectionAndAnIslandInBoth() {
        var network = SimulatedNetwork()
        network.cutLinks = [SimulatedNetwork.Link(from: 0, to: 1)]
        #expect(!network.isOpen(from: 0, to: 1))
        #expect(network.isOpen(from: 1, to: 0))
        network.islands = [2: 1]
        #expect(!network.isOpen(from: 2, to: 0))
        #expect(!network.isOpen(from: 0, to: 2))
        network.heal()
        #expect(network.isOpen(from: 0, to: 1) && network.isOpen(from: 2, to: 0))
    }

    @Test func loweringTheLossLowersTheTimeOfAStream() {
        func total(_ loss: Double) -> Duration {
            var random = SeededRandom(seed: 3)
            var network = SimulatedNetwork()
            network.conditions.loss = loss
            return (0..<200).reduce(.zero) { sum, _ in
                sum + (network.transfer(100_000, from: 0, to: 1, using: &random) ?? .zero)
            }
        }
        #expect(total(0) < total(0.05))
        #expect(total(0.05) < total(0.3))
    }
}

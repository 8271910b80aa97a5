import Testing
import WeftCore

@testable import WeftGossip

@Suite("News is sent fewest transmits first, then longest, then newest")
struct BroadcastQueueTests {
    /// A message of a length that says who it is by its first byte.
    private func message(_ mark: UInt8, _ length: Int) -> [UInt8] {
        [mark] + Array(repeating: 0, count: length - 1)
    }

    private func fetch(_ queue: inout BroadcastQueue, budget: Int, limit: Int = 4, count: Int = 100) -> [UInt8] {
        var marks: [UInt8] = []
        var budget = budget
        queue.fetch(budget: &budget, overhead: 2, limit: limit, maximumCount: count) { _, message in
            marks.append(message[0])
        }
        return marks
    }

    @Test func longestFirstAndOfEqualsTheNewest() {
        var queue = BroadcastQueue()
        for (mark, length) in [(1, 10), (2, 20), (3, 20), (4, 5)] {
            queue.add(message(UInt8(mark), length), kind: .alive)
        }
        #expect(fetch(&queue, budget: 1000) == [3, 2, 1, 4])
    }

    @Test func freshNewsGoesBeforeWhatHasBeenSent() {
        var queue = BroadcastQueue()
        queue.add(message(1, 50), kind: .alive)
        #expect(fetch(&queue, budget: 1000) == [1])
        queue.add(message(2, 10), kind: .alive)
        #expect(fetch(&queue, budget: 1000) == [2, 1])
    }

    @Test func smallMessagesFillTheRoomThatLongOnesLeave() {
        var queue = BroadcastQueue()
        for (mark, length) in [(1, 60), (2, 50), (3, 30), (4, 6)] {
            queue.add(message(UInt8(mark), length), kind: .alive)
        }
        // 62 + 32 fit, then 6 bytes are left: too few for 6 + 2.
        #expect(fetch(&queue, budget: 100) == [1, 3])
        #expect(fetch(&queue, budget: 60) == [2, 4])
    }

    @Test func aMessageLongerThanTheBudgetWaits() {
        var queue = BroadcastQueue()
        queue.add(message(1, 200), kind: .alive)
        #expect(fetch(&queue, budget: 100) == [])
        #expect(queue.count == 1)
    }

    @Test(arguments: [1, 4, 8]) func everyMessageIsSentExactlyAsOftenAsTheLimit(limit: Int) {
        var queue = BroadcastQueue()
        for mark in 1...20 { queue.add(message(UInt8(mark), mark + 3), kind: .alive) }
        var sent: [UInt8: Int] = [:]
        for _ in 0..<1000 where !queue.isEmpty {
            for mark in fetch(&queue, budget: 40, limit: limit) { sent[mark, default: 0] += 1 }
        }
        #expect(queue.isEmpty)
        #expect(sent.count == 20 && sent.values.allSatisfy { $0 == limit })
    }

    @Test func newsAboutANameReplacesOlderNews() {
        var queue = BroadcastQueue()
        let first = queue.add(message(1, 10), kind: .alive, about: "a")
        queue.add(message(2, 10), kind: .alive, about: "b")
        let second = queue.add(message(3, 8), kind: .dead, about: "a")
        #expect(queue.count == 2)
        #expect(!queue.contains(first) && queue.contains(second) && queue.ticket(about: "a") == second)
        #expect(fetch(&queue, budget: 1000, limit: 1) == [2, 3])
        #expect(queue.ticket(about: "a") == nil)
    }

    @Test func replacingWorksAfterTransmits() {
        var queue = BroadcastQueue()
        for name in ["a", "b", "c"] as [MemberName] { queue.add(message(name.bytes[0], 9), kind: .alive, about: name) }
        _ = fetch(&queue, budget: 30)
        queue.add(message(1, 9), kind: .alive, about: "b")
        #expect(queue.count == 3)
        #expect(Set(fetch(&queue, budget: 1000)) == Set([1] + Array("ac".utf8)))
    }

    @Test func pruningDropsTheMostTransmitted() {
        var queue = BroadcastQueue()
        queue.add(message(1, 10), kind: .alive)
        _ = fetch(&queue, budget: 1000)
        for mark in 2...4 { queue.add(message(UInt8(mark), 5), kind: .alive) }
        let dropped = [queue.prune(to: 3), queue.prune(to: 100)]
        #expect(dropped == [1, 0])
        #expect(fetch(&queue, budget: 1000) == [4, 3, 2])
    }

    @Test func nobodyIsToldWhatItKnows() {
        let (left, right) = (TestNetwork.address(1), TestNetwork.address(2))
        func fetch(_ queue: inout BroadcastQueue, for address: NetworkAddress, _ name: MemberName?) -> [UInt8] {
            var marks: [UInt8] = []
            var budget = 1000
            let recipient = BroadcastQueue.Recipient(address: address, name: name)
            queue.fetch(for: recipient, budget: &budget, overhead: 2, limit: 1, maximumCount: 9) { marks.append($1[0]) }
            return marks
        }
        var queue = BroadcastQueue()
        queue.add(message(1, 5), kind: .userEvent, heardFrom: left)
        queue.add(message(2, 6), kind: .alive, about: "a")
        queue.add(message(3, 7), kind: .suspect, about: "b")
        let told = [
            fetch(&queue, for: left, "a"), fetch(&queue, for: left, nil), fetch(&queue, for: right, nil),
        ]
        #expect(told == [[3], [2], [1]])
        #expect(queue.isEmpty)
    }

    @Test func countIsBounded() {
        var queue = BroadcastQueue()
        for mark in 1...9 { queue.add(message(UInt8(mark), 5), kind: .alive) }
        #expect(fetch(&queue, budget: 1000, count: 3) == [9, 8, 7])
    }

    /// Against the definition, with random sizes and replacements.
    @Test(arguments: 0..<20) func agreesWithASortedList(seed: UInt64) {
        var random = WireRandom(seed: seed)
        var queue = BroadcastQueue()
        var model: [(transmits: Int, length: Int, number: Int, name: Int)] = []
        for number in 0..<200 {
            let length = Int.random(in: 2...60, using: &random)
            let name = Int.random(in: 0..<30, using: &random)
            queue.add(message(UInt8(number), length), kind: .alive, about: MemberName("\(name)"))
            model.removeAll { $0.name == name }
            model.append((0, length, number, name))
            guard random.flip() else { continue }
            let budget = Int.random(in: 0...200, using: &random)
            #expect(fetch(&queue, budget: budget) == fetchFromModel(&model, budget: budget))
            #expect(queue.count == model.count)
        }
    }

    private func fetchFromModel(
        _ model: inout [(transmits: Int, length: Int, number: Int, name: Int)],
        budget: Int
    ) -> [UInt8] {
        let order = model.indices.sorted {
            let (left, right) = (model[$0], model[$1])
            return (left.transmits, -left.length, -left.number) < (right.transmits, -right.length, -right.number)
        }
        var free = budget
        var marks: [UInt8] = []
        for index in order where model[index].length + 2 <= free {
            free -= model[index].length + 2
            marks.append(UInt8(model[index].number))
            model[index].transmits += 1
        }
        model.removeAll { $0.transmits >= 4 }
        return marks
    }
}

import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Merging a host's records")
struct NodeRecordsTests {
    /// A state as any host, honest or not, could have and send: a floor, live records at any version, removals above.
    private func state(using generator: inout Seeded) throws -> NodeRecords {
        let floor = Bool.random(using: &generator) ? UInt64.random(in: 1...8, using: &generator) : 0
        var records = NodeRecords()
        _ = records.raiseFloor(to: floor, keeping: [])
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            let service = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            let version = UInt64.random(in: 1...10, using: &generator)
            let content: RecordContent =
                Int.random(in: 0..<3, using: &generator) == 0
                ? .removed(try key(service)) : .live(try record(service, healthy: Bool.random(using: &generator)))
            records.merge(NodeRecords.Entry(version: version, content: content), ofFloor: floor)
        }
        return records
    }

    private func joined(_ states: NodeRecords...) -> NodeRecords {
        var sum = NodeRecords()
        for state in states { sum.merge(state) }
        return sum
    }

    @Test(
        "Whatever the states: merging is commutative, associative and idempotent",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func semilattice(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        for _ in 0..<1500 {
            let (a, b, c) = (
                try state(using: &generator), try state(using: &generator), try state(using: &generator)
            )
            let all = joined(a, b, c)
            #expect(joined(a) == a && joined(a, a) == a)
            #expect(joined(b, a) == joined(a, b))
            #expect(joined(a, joined(b, c)) == all, "seed \(seed)")
            for other in [joined(a, c, b), joined(b, a, c), joined(b, c, a), joined(c, a, b), joined(c, b, a)] {
                #expect(other == all, "seed \(seed)")
            }
            #expect(joined(all, b) == all && joined(a, all) == all)
        }
    }

    @Test("All states of one key up to version 3, exhaustively")
    func exhaustive() throws {
        let contents: [RecordContent] = [
            .removed(try key("a")), .live(try record("a")), .live(try record("a", healthy: false)),
        ]
        var states: [NodeRecords] = []
        for floor in 0...3 as ClosedRange<UInt64> {
            var empty = NodeRecords()
            _ = empty.raiseFloor(to: floor, keeping: [])
            states.append(empty)
            for version in 1...3 as ClosedRange<UInt64> {
                for content in contents {
                    var one = empty
                    if one.merge(NodeRecords.Entry(version: version, content: content), ofFloor: floor) {
                        states.append(one)
                    }
                }
            }
        }
        for a in states {
            for b in states {
                #expect(joined(a, b) == joined(b, a))
                for c in states { #expect(joined(joined(a, b), c) == joined(a, joined(b, c))) }
            }
        }
    }

    @Test("The hash is the sum over what is live, however it came about")
    func incrementalHash() throws {
        var generator = Seeded(state: 7)
        for _ in 0..<500 {
            let sum = joined(try state(using: &generator), try state(using: &generator), try state(using: &generator))
            let live = sum.entries.values.filter(\.isLive)
            #expect(sum.hash == live.reduce(0) { $0 &+ $1.hash })
            #expect(sum.liveCount == live.count)
            #expect(sum.entries.values.allSatisfy { $0.isLive || $0.version > sum.floor })
            #expect(sum.version >= sum.floor && sum.entries.values.allSatisfy { $0.version <= sum.version })
        }
    }

    @Test("A host has a bounded number of entries, and which ones stay does not depend on the order")
    func bound() throws {
        var entries: [NodeRecords.Entry] = []
        for index in 0..<NodeRecords.entriesMax + 50 {
            let content = RecordContent.live(try record("s\(index)"))
            entries.append(NodeRecords.Entry(version: UInt64(index / 2 + 1), content: content))
        }
        var forward = NodeRecords()
        for entry in entries { forward.merge(entry, ofFloor: 0) }
        var generator = Seeded(state: 3)
        var shuffled = NodeRecords()
        for entry in entries.shuffled(using: &generator) { shuffled.merge(entry, ofFloor: 0) }
        #expect(forward.entries.count == NodeRecords.entriesMax)
        #expect(forward == shuffled)
    }

    @Test("A confirmed set has no tombstones, and old news of what it removed has no effect")
    func confirming() throws {
        var records = NodeRecords()
        let old = NodeRecords.Entry(version: 3, content: .live(try record("a")))
        records.merge(old, ofFloor: 0)
        records.merge(NodeRecords.Entry(version: 5, content: .removed(try key("a"))), ofFloor: 0)
        #expect(records.entries.count == 1 && records.liveCount == 0)
        records.confirm()
        #expect(records.entries.isEmpty && records.floor == 5)
        let confirmed = records
        records.merge(old, ofFloor: 0)
        records.merge(old, ofFloor: 4)
        #expect(records == confirmed)
    }
}

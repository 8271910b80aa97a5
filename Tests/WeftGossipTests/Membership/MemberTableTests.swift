import Testing
import WeftCore

@testable import WeftGossip

@Suite("The table of members")
struct MemberTableTests {
    private let start = Instant(nanoseconds: 0)

    private func record(_ name: MemberName, _ detected: MemberRecord.Detected = .alive) -> MemberRecord {
        let address = MemberAddress(NetworkAddress(.loopbackV4, port: 7946))
        var record = MemberRecord(
            unknown: MemberIdentity(name: name, address: address, meta: [], versions: .serf),
            now: start
        )
        record.detected = detected
        record.status = .alive
        return record
    }

    private func table(_ names: [MemberName], _ random: inout WireRandom) -> MemberTable {
        var table = MemberTable(expectedCount: 0)
        for name in names { table.insert(record(name), using: &random) }
        return table
    }

    @Test func aRecordStaysSmall() {
        #expect(MemoryLayout<MemberRecord>.stride + MemoryLayout<MemberName>.stride <= 48)
    }

    @Test(arguments: 0..<10) func eachRoundProbesEverybodyElseOnce(seed: UInt64) {
        var random = WireRandom(seed: seed)
        var table = table(["a", "b", "c", "d", "self"], &random)
        var probed: [MemberName] = []
        // The first round may begin in the middle of nothing; the cursor starts at the first member.
        for _ in 0..<12 {
            let next = table.nextToProbe(except: "self", forgettingBefore: nil, using: &random)
            probed.append(next?.identity.name ?? "none")
        }
        for round in 0..<3 { #expect(probed[round * 4..<round * 4 + 4].sorted() == ["a", "b", "c", "d"]) }
    }

    @Test func deadMembersAreSkippedAndForgottenAtTheEndOfARound() {
        var random = WireRandom(seed: 1)
        var table = table(["a", "b", "self"], &random)
        table.update("b") { $0.detected = .dead }
        for _ in 0..<4 {
            let next = table.nextToProbe(
                except: "self",
                forgettingBefore: Instant(nanoseconds: 1),
                using: &random
            )
            #expect(next?.identity.name == "a")
        }
        #expect(table.listedCount == 2 && table.count == 3 && table["b"]?.detected == .forgotten)
    }

    @Test func nobodyToProbe() {
        var random = WireRandom(seed: 1)
        var table = table(["self"], &random)
        let next = table.nextToProbe(except: "self", forgettingBefore: nil, using: &random)
        #expect(next == nil)
    }

    @Test(arguments: [5, 500]) func samplesAreDifferentMembersThatMatch(count: Int) {
        var random = WireRandom(seed: 2)
        var table = table((0..<count).map { MemberName("n\($0)") }, &random)
        for index in 0..<count where index % 5 != 0 { table.update(MemberName("n\(index)")) { $0.detected = .dead } }
        for _ in 0..<50 {
            let sample = table.sample(3, using: &random) { $0.isReachable }
            #expect(sample.count == min(3, count / 5))
            #expect(Set(sample.map { $0.identity.name }).count == sample.count)
            #expect(sample.allSatisfy { $0.isReachable })
        }
    }

    @Test(arguments: 0..<10) func countsFollowEveryChange(seed: UInt64) {
        var random = WireRandom(seed: seed)
        var table = MemberTable(expectedCount: 0)
        let detected: [MemberRecord.Detected] = [.alive, .suspect, .dead, .left, .forgotten]
        for _ in 0..<500 {
            let name = MemberName("n\(random.count(30))")
            if table[name] == nil {
                table.insert(record(name), using: &random)
            } else if random.count(3) == 0 {
                table.remove(name)
            } else {
                table.update(name) { record in
                    record.detected = detected[random.count(4)]
                    record.status = MemberRecord.Status.allCases[random.count(4)]
                }
            }
            #expect(table.listedCount == table.records.filter { $0.isListed }.count)
            #expect(table.reachableCount == table.records.filter { $0.isReachable }.count)
            for status in MemberRecord.Status.allCases {
                #expect(table.count(of: status) == table.records.filter { $0.status == status }.count)
            }
        }
    }
}

import Testing
import WeftCore

@testable import WeftCatalog

/// What a peer may say and what it gets by it.
@Suite("Catalogue and hostile peers")
struct CatalogueHostilityTests {
    private static let now = RecordVersion.start(at: moment().wall)

    private func payload(_ blocks: CatalogueBlock...) -> [UInt8] {
        blocks.reduce([CatalogueBlock.format]) { $0 + $1.encoded }
    }

    private func records(
        _ host: String,
        _ entries: [(UInt64, RecordContent)],
        announced: RecordSummary = .nothing,
        floor: UInt64 = 0
    ) throws -> CatalogueBlock {
        let entries = entries.map { NodeRecords.Entry(version: $0.0, content: $0.1) }
        return .records(.init(node: try node(host), announced: announced, floor: floor, entries: entries))
    }

    @Test("Records of another host are believed from anybody: versions decide, not the messenger")
    func relay() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        let events = a.publish([try record("web")])
        try b.mergeAll(events.map(\.payload))
        // An older word of the same, made up by a third host, has no effect.
        let forged = payload(try records("a", [(Self.now, .live(try record("web", healthy: false)))]))
        _ = try b.merge(forged, now: moment())
        #expect(b.records(of: a.own) == [try record("web")])
    }

    @Test(
        "Versions beyond the clock are refused, wherever they stand",
        arguments: [UInt64.max, 1 << 60, now + 31 * 24 * 3600 << 16]
    )
    func future(_ version: UInt64) throws {
        var b = try catalogue("b")
        let blocks: [CatalogueBlock] = [
            try records("x", [(version, .live(try record("web")))]),
            try records("x", [], announced: RecordSummary(version: version, hash: 1)),
            .seal(.init(node: try node("x"), floor: version, marks: [])),
            try records("b", [(version, .live(try record("web")))]),
            try records("b", [], announced: RecordSummary(version: version, hash: 1)),
            .seal(.init(node: try node("b"), floor: version, marks: [])),
        ]
        let before = b[b.own]
        for block in blocks {
            let change = try b.merge(payload(block), now: moment())
            #expect(change.refused == [.futureVersion: 1])
            #expect(change.events.isEmpty)
        }
        let lie = RecordSummary(version: version, hash: 1)
        let question = payload(.request(.init(node: b.own, known: lie, announced: lie)))
        #expect(try b.merge(question, now: moment()).events.isEmpty)
        #expect(b[b.own] == before)
        #expect(b.gaps.isEmpty)
        let known = b[try node("x")] ?? .nothing
        #expect(known == .nothing)
        let digest =
            [CatalogueBlock.format]
            + CatalogueBlock.digest(
                [try node("b"): RecordSummary(version: version, hash: 0)]
            ).encoded
        let comparison = try b.digestReceived(digest, now: moment())
        #expect(comparison.refusedCount == 1 && comparison.events.isEmpty)
    }

    @Test("A host passes whatever others have of it, and its own word counts again")
    func refutation() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        try b.mergeAll(a.publish([try record("web")]).map(\.payload))
        let ahead = Self.now + 1_000_000
        let lie = payload(
            .seal(.init(node: a.own, floor: ahead, marks: [])),
            try records("a", [(ahead + 5, .live(try record("evil")))], floor: ahead)
        )
        #expect(try b.merge(lie, now: moment()).removed.map(\.service.text) == ["web"])
        #expect(b.records(of: a.own) == [try record("evil")])

        let comparison = try a.digestReceived(b.digest(), now: moment(1))
        #expect(comparison.events.map(\.name) == ["weft:r"])
        try b.mergeAll(comparison.events.map(\.payload), now: moment(1))
        #expect(b.records(of: a.own) == [try record("evil"), try record("web")])
        let requests = b.tick(moment(3).monotonic).requests
        let request = try #require(requests.first)
        try b.mergeAll(try a.merge(request.payload, now: moment(3)).answers, now: moment(3))
        #expect(b.records(of: a.own) == [try record("web")])
        #expect(b[a.own] == a[a.own])
    }

    @Test("Two hosts of one name do not drive each other up as fast as messages travel")
    func twins() throws {
        var a = try catalogue("twin")
        var b = try catalogue("twin", startedAt: 1)
        var toB = a.publish([try record("one")])
        var toA = b.publish([try record("two")])
        var sent = 0
        for _ in 0..<50 {
            let answersToA = try b.mergeAll(toB.map(\.payload), now: moment(2)).flatMap(\.events)
            toB = try a.mergeAll(toA.map(\.payload), now: moment(2)).flatMap(\.events)
            toA = answersToA
            sent += toA.count + toB.count
        }
        #expect(sent <= 2)
        let due = try #require(a.nextTick ?? b.nextTick)
        #expect(due == moment(12).monotonic)
    }

    @Test("An announcement that nobody can fulfil is asked for a few times, then left alone")
    func emptyPromise() throws {
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        let promise = payload(try records("a", [], announced: RecordSummary(version: Self.now, hash: 42)))
        _ = try b.merge(promise, now: moment())
        var attempts: [Int] = []
        while let due = b.nextTick { attempts += b.tick(due).requests.map(\.attempt) }
        #expect(attempts == Array(0..<6))
        _ = try b.merge(promise, now: moment())
        #expect(b.nextTick != nil)
    }

    @Test("A promise in a host's name comes to its ears with the question, and it passes it")
    func promiseInAnothersName() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        try b.mergeAll(a.publish([try record("web")]).map(\.payload))
        let promise = RecordSummary(version: Self.now + 1000, hash: 42)
        _ = try b.merge(payload(try records("a", [], announced: promise)), now: moment())
        let requests = b.tick(moment(3).monotonic).requests
        let change = try a.merge(try #require(requests.first).payload, now: moment(3))
        #expect(change.events.count == 1)
        try b.mergeAll(change.events.map(\.payload), now: moment(3))
        #expect(b[a.own] == a[a.own] && b.gaps.isEmpty)
    }

    @Test("Hosts that only records speak of are few, and the oldest gives way")
    func strangers() throws {
        var b = try catalogue("b")
        _ = try b.meet("friend", at: "10.0.0.1")
        for index in 0..<1200 {
            let stranger = payload(try records("x\(index)", [(Self.now, .live(try record("web")))]))
            let change = try b.merge(stranger, now: moment(Double(index) / 1000))
            #expect(change.keepsRouting)
        }
        #expect(b.nodes.count == 1001 && b.recordCount == 1000)
        let (first, last) = (try node("x0"), try node("x1199"))
        #expect(b[first] == nil && b[last] != nil)
        #expect(try b.digestReceived(b.digest(), now: moment()).missing.isEmpty)
        // Strangers are in no digest, so nobody else learns of them from here.
        var c = try catalogue("c")
        #expect(try c.digestReceived(b.digest(), now: moment()).wanted == [try node("b")])
    }

    @Test("One payload gets a bounded number of answers, and a digest belongs elsewhere")
    func requests() throws {
        var a = try catalogue("a")
        _ = a.publish([try record("web")])
        let request = CatalogueBlock.request(.init(node: a.own, known: .nothing, announced: .nothing))
        let many = [CatalogueBlock.format] + Array(repeating: request.encoded, count: 100).flatMap { $0 }
        let change = try a.merge(many, now: moment())
        #expect(change.answers.count == 16 && change.refused == [.tooManyRequests: 84])
        #expect(try a.merge(a.digest(), now: moment()).refused == [.misplacedDigest: 1])
    }

    @Test("Another host's claim to this host's records or addresses leads nowhere")
    func ownAddress() throws {
        var b = try catalogue("b")
        _ = b.publish([try record("web")])
        let lie = payload(try records("b", [(Self.now, .live(try record("evil")))]))
        _ = try b.merge(lie, now: moment())
        #expect(b.records(of: b.own) == [try record("web")])
        #expect(b.nodes.isEmpty)
    }

    @Test("Damaged payloads throw and change nothing, or mean something else; none of them traps")
    func damage() throws {
        var a = try catalogue("host-a")
        let events = a.publish([try record("web", labels: ["k": "v"]), try record("db", addresses: ["10.9.9.9"])])
        var b = try catalogue("b")
        _ = try b.meet("host-a", at: "10.0.0.1")
        let direct = try a.digestReceived(b.digest(), now: moment()).missing
        let good =
            events.map(\.payload) + direct + [
                a.digest(), payload(.request(.init(node: a.own, known: .nothing, announced: .nothing))),
            ]
        for bytes in good {
            for count in bytes.indices {
                var fresh = b
                let cut = try? fresh.merge(Array(bytes.prefix(count)), now: moment())
                // Between two blocks a payload may end.
                guard cut == nil else { continue }
                #expect(fresh.nodes.count == b.nodes.count && fresh.recordCount == b.recordCount)
            }
            var generator = Seeded(state: UInt64(bytes.count))
            for _ in 0..<3000 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let index = Int.random(in: damaged.indices, using: &generator)
                    damaged[index] = UInt8.random(in: .min ... .max, using: &generator)
                }
                var fresh = b
                _ = try? fresh.merge(damaged, now: moment())
                _ = try? fresh.digestReceived(damaged, now: moment())
                #expect(fresh.recordCount == fresh.nodes.values.reduce(0) { $0 + $1.records.entries.count })
            }
        }
    }

    @Test("Formats of later releases are refused, blocks of later releases skipped")
    func laterReleases() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        let event = try #require(a.publish([try record("web")]).first)
        let block = Array(event.payload.dropFirst())
        _ = try b.merge([CatalogueBlock.format, 99, 3, 1, 2, 3] + block + [77, 0], now: moment())
        #expect(b.records(of: a.own) == [try record("web")])
        #expect(throws: CatalogueError.unsupportedFormat(2)) { _ = try b.merge([2] + block, now: moment()) }
        #expect(throws: CatalogueError.tooLong(bytes: 65_537)) {
            _ = try b.merge([UInt8](repeating: 1, count: 65_537), now: moment())
        }
    }
}

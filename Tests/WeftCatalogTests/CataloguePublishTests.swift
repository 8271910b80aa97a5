import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Publishing services")
struct CataloguePublishTests {
    @Test("A host's services reach another by events alone, and change only when it is alive")
    func publish() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        let web = try record("web", 80, labels: ["version": "2"])
        let api = try record("api", 8080, addresses: ["10.0.0.77"], healthy: false)
        let events = a.publish([web, api])
        #expect(events.map(\.name) == ["weft:r"])
        let changes = try b.mergeAll(events.map(\.payload))
        #expect(changes.allSatisfy { $0.keepsRouting }, "no word of a host yet")
        #expect(b.records(of: try node("a")) == [api, web])
        #expect(b[try node("a")] == a[try node("a")])
        let met = try b.meet("a", at: "10.0.0.1")
        #expect(met.removed.isEmpty)
        #expect(met.added.map(\.description) == ["api on a at 10.0.0.77:8080", "web on a at 10.0.0.1:80"])
        #expect(met.added.map(\.isHealthy) == [false, true])
        #expect(met.added.last?.labels == ["version": "2"])
    }

    @Test("Only what changed is told, and nothing when nothing did")
    func difference() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        let many = try (0..<10).map { try record("s\($0)") }
        try b.mergeAll(a.publish(many).map(\.payload))
        #expect(a.publish(many).isEmpty)
        #expect(a.publish(many.reversed()).isEmpty)

        var changed = many
        changed[3] = try record("s3", healthy: false)
        changed.remove(at: 7)
        let events = a.publish(changed)
        #expect(events.count == 1 && events[0].payload.count < 80)
        let changes = try b.mergeAll(events.map(\.payload))
        #expect(changes.flatMap(\.removed).map(\.service.text) == ["s3", "s7"])
        #expect(changes.flatMap(\.added).map(\.service.text) == ["s3"])
        #expect(b.records(of: try node("a")) == a.records(of: try node("a")))
    }

    @Test("Every event fits Serf's limit, and 200 services go out by events")
    func sizes() throws {
        var a = try catalogue(String(repeating: "n", count: 40))
        let services = try (0..<200).map { try record("service-\($0)", UInt16(1000 + $0)) }
        let events = a.publish(services)
        #expect((10...16).contains(events.count))
        #expect(events.allSatisfy { $0.name == "weft:r" && $0.payload.count <= 400 })
        var generator = Seeded(state: 5)
        var b = try catalogue("b")
        for event in events.shuffled(using: &generator) { _ = try b.merge(event.payload, now: moment()) }
        #expect(b.records(of: a.own) == a.records(of: a.own))
        #expect(b[a.own] == a[a.own])
        #expect(b.nextTick == nil || b.gaps.isEmpty, "nothing is missing, whatever the order")
    }

    @Test(
        "What is too much for events is announced, and asked for",
        arguments: [(900, 0), (1, 300)]
    )
    func announcement(_ count: Int, _ labelBytes: Int) throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        let value = String(repeating: "v", count: labelBytes / 2)
        let labels = labelBytes > 0 ? ["x": value, "y": value, "z": value] : [:]
        let services = try (0..<count).map { try record("service-\($0)", labels: labels) }
        let events = a.publish(services)
        #expect(events.map(\.name) == ["weft:v"])
        try b.mergeAll(events.map(\.payload))
        let due = try #require(b.nextTick)
        #expect((400..<1200).contains((due - moment().monotonic).wholeNanoseconds / 1_000_000))
        #expect(b.tick(moment().monotonic).requests.isEmpty)
        let requests = b.tick(due).requests
        #expect(requests.map(\.about.text) == ["a"])
        let answers = try a.merge(requests[0].payload, now: moment()).answers
        #expect(answers.allSatisfy { $0.count <= 65_536 })
        try b.mergeAll(answers)
        #expect(b.records(of: a.own) == a.records(of: a.own))
        #expect(b.gaps.isEmpty)
        #expect(try a.merge(requests[0].payload, now: moment()).answers == answers)
    }

    @Test("A thousand services at most; the rest is counted")
    func bound() throws {
        var a = try catalogue("a")
        _ = a.publish(try (0..<1100).map { try record("service-\($0 + 1000)") })
        #expect(a.records(of: a.own).count == 1000)
        #expect(a.unpublishedCount == 100)
    }

    @Test("The first publication says even of nothing that it is all, so that an earlier life's services go")
    func restart() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        try b.mergeAll(a.publish([try record("old"), try record("both")]).map(\.payload))

        var reborn = try catalogue("a", startedAt: 5)
        let events = reborn.publish([])
        #expect(events.map(\.name) == ["weft:v"])
        let changes = try b.mergeAll(events.map(\.payload))
        #expect(changes.allSatisfy { $0.keepsRouting })
        let requests = b.tick(moment(3).monotonic).requests
        let answers = try reborn.merge(try #require(requests.first).payload, now: moment(8)).answers
        let removed = try b.mergeAll(answers, now: moment(8)).flatMap(\.removed)
        #expect(removed.map(\.service.text) == ["both", "old"])
        #expect(b.records(of: a.own) == [])
    }
}

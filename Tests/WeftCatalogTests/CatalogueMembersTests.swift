import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Catalogue and membership")
struct CatalogueMembersTests {
    private func pair() throws -> (a: Catalogue, b: Catalogue) {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        try b.mergeAll(a.publish([try record("web"), try record("api")]).map(\.payload))
        return (a, b)
    }

    @Test(
        "Endpoints are routed to while their host is available, and go at once when it is not",
        arguments: [(NodeState.alive, 2), (.unavailable, 0), (.failed, 0), (.left, 0), (.unknown, 0)]
    )
    func states(_ state: NodeState, _ count: Int) throws {
        var (a, b) = try pair()
        let change = b.nodeStateChanged(a.own, to: state, address: nil, now: moment(5).monotonic)
        #expect(b.endpoints.count == count)
        #expect(change.removed.count == 2 - count && change.added.isEmpty)
        #expect(b.records(of: a.own) == a.records(of: a.own), "records stay for merging")
        let back = b.nodeStateChanged(a.own, to: .alive, address: nil, now: moment(6).monotonic)
        #expect(back.added.count == 2 - count && b.endpoints.count == 2)
        _ = a.digest()
    }

    @Test("A new address moves the endpoints that listen there, and no others")
    func addressChange() throws {
        var (a, b) = try pair()
        try b.mergeAll(
            a.publish([try record("web"), try record("api"), try record("fix", addresses: ["10.9.9.9"])]).map(\.payload)
        )
        let change = b.nodeStateChanged(a.own, to: .alive, address: try ip("10.0.0.2"), now: moment().monotonic)
        #expect(change.removed.map(\.description) == ["api on a at 10.0.0.1:80", "web on a at 10.0.0.1:80"])
        #expect(change.added.map(\.description) == ["api on a at 10.0.0.2:80", "web on a at 10.0.0.2:80"])
    }

    @Test(
        "A host at an address that only it can dial has no endpoints",
        arguments: ["127.0.0.1", "::", "fe80::1", "240.0.0.1"]
    )
    func undialable(_ address: String) throws {
        var (a, b) = try pair()
        _ = b.nodeStateChanged(a.own, to: .alive, address: try ip(address), now: moment().monotonic)
        #expect(b.endpoints.isEmpty)
    }

    @Test("The dead are remembered for a day and then forgotten")
    func reaping() throws {
        var (a, b) = try pair()
        _ = b.nodeStateChanged(a.own, to: .failed, address: nil, now: moment().monotonic)
        let day = 24.0 * 3600
        while let due = b.nextTick, due < moment(day).monotonic { _ = b.tick(due) }
        #expect(b[a.own] != nil)
        _ = b.tick(moment(day + 60).monotonic)
        #expect(b[a.own] == nil && b.recordCount == 0 && b.nextTick == nil)
        #expect(a.publish([]).count == 1)
    }

    @Test("A dead host's old records do not come back through others' digests, and its new life's do")
    func returning() throws {
        var (a, b) = try pair()
        var c = try catalogue("c")
        _ = b.nodeStateChanged(a.own, to: .left, address: nil, now: moment().monotonic)
        #expect(try b.digestReceived(c.digest(), now: moment()).missing.count == 1, "its own, and nothing of a")
        #expect(try c.digestReceived(b.digest(), now: moment()).wanted == [b.own])
        try b.mergeAll(a.publish([try record("web")]).map(\.payload))
        let change = b.nodeStateChanged(a.own, to: .alive, address: nil, now: moment(9).monotonic)
        #expect(change.added.map(\.service.text) == ["web"])
    }

    @Test("What membership forgets is gone")
    func forgetting() throws {
        var (a, b) = try pair()
        #expect(b.forget(a.own).removed.count == 2)
        #expect(b.nodes.isEmpty && b.recordCount == 0)
        #expect(b.forget(a.own).keepsRouting)
        #expect(b.nodeStateChanged(b.own, to: .failed, address: nil, now: moment().monotonic).keepsRouting)
        _ = a.digest()
    }
}

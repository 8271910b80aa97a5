import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Filling gaps")
struct CatalogueExchangeTests {
    /// What push/pull does: both have the other's digest, and send what the other lacks.
    private func exchange(_ a: inout Catalogue, _ b: inout Catalogue, now: Moment = moment()) throws {
        let (digestOfA, digestOfB) = (a.digest(), b.digest())
        let forA = try b.digestReceived(digestOfA, now: now).missing
        let forB = try a.digestReceived(digestOfB, now: now).missing
        try a.mergeAll(forA, now: now)
        try b.mergeAll(forB, now: now)
    }

    @Test("A host that joins has everything after one exchange, in bounded chunks")
    func joining() throws {
        var old = try catalogue("old")
        for index in 0..<300 {
            var other = try catalogue("node-\(1000 + index)")
            _ = try old.meet("node-\(1000 + index)", at: "10.1.\(index / 100).\(index % 100 + 1)")
            let services = try (0..<20).map { try record("service-\($0)", UInt16(80 + $0), labels: ["zone": "a"]) }
            try old.mergeAll(other.publish(services).map(\.payload))
        }
        var new = try catalogue("new")
        _ = try new.meet("old", at: "10.0.0.1")
        for index in 0..<300 { _ = try new.meet("node-\(1000 + index)", at: "10.1.\(index / 100).\(index % 100 + 1)") }
        let comparison = try old.digestReceived(new.digest(), now: moment())
        #expect(comparison.missing.count > 1 && comparison.missing.allSatisfy { $0.count <= 65_536 })
        #expect(comparison.wanted == [try node("new")])
        try new.mergeAll(comparison.missing)
        #expect(new.endpoints == old.endpoints)
        #expect(new.endpoints.count == 6000)
        #expect(try old.digestReceived(new.digest(), now: moment()).missing.isEmpty)
        #expect(new.digest().count < 300 * 20 + 100, "\(new.digest().count) bytes")
        print("digest of 301 hosts: \(new.digest().count) bytes; their records: \(comparison.missing.map(\.count))")
    }

    @Test("A lost event shows at the next one, and the host is asked")
    func lostEvent() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = try b.meet("a", at: "10.0.0.1")
        try b.mergeAll(a.publish([try record("one")]).map(\.payload))
        _ = a.publish([try record("one"), try record("two")])
        try b.mergeAll(a.publish([try record("one"), try record("two"), try record("three")]).map(\.payload))
        #expect(b.records(of: a.own).map(\.key.service.text) == ["one", "three"])
        let due = try #require(b.nextTick)
        let request = try #require(b.tick(due).requests.first)
        try b.mergeAll(try a.merge(request.payload, now: moment()).answers)
        #expect(b.records(of: a.own).count == 3)
        #expect(b.gaps.isEmpty)
        #expect(try a.merge(request.payload, now: moment()).answers.isEmpty == false)
    }

    @Test("What a digest promised and nobody sent is asked for")
    func promised() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = a.publish([try record("one")])
        #expect(try b.digestReceived(a.digest(), now: moment()).wanted == [a.own])
        #expect(b.nextTick == nil, "not of a host that is no member")
        _ = try b.meet("a", at: "10.0.0.1")
        _ = try b.digestReceived(a.digest(), now: moment())
        // That it is alive, and is told to be once more, does not make up for it.
        _ = try b.meet("a", at: "10.0.0.1")
        let due = try #require(b.nextTick)
        let request = try #require(b.tick(due).requests.first)
        try b.mergeAll(try a.merge(request.payload, now: moment()).answers)
        #expect(b.records(of: a.own).count == 1)
        #expect(b.gaps.isEmpty && b.nextTick == nil)
    }

    @Test("What a digest promised and the peer sends is not asked for")
    func promiseKept() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        _ = a.publish([try record("one")])
        _ = try b.meet("a", at: "10.0.0.1")
        try exchange(&a, &b)
        #expect(b.records(of: a.own).count == 1)
        #expect(b.gaps.isEmpty && b.nextTick == nil)
    }

    @Test("A removal that was missed is found by push/pull with any host that has it")
    func lostRemoval() throws {
        var a = try catalogue("a")
        var b = try catalogue("b")
        var c = try catalogue("c")
        _ = try b.meet("a", at: "10.0.0.1")
        _ = try c.meet("a", at: "10.0.0.1")
        let first = a.publish([try record("one"), try record("two")]).map(\.payload)
        try b.mergeAll(first)
        try c.mergeAll(first)
        try b.mergeAll(a.publish([try record("two")]).map(\.payload))
        try exchange(&c, &b)
        #expect(c.records(of: a.own) == [try record("two")])
        try c.mergeAll(first)
        #expect(c.records(of: a.own) == [try record("two")], "old news")
    }

    /// Seeds that once found something: 12, 237, 300.
    private static let seeds = Array(1...60 as ClosedRange<UInt64>) + [237, 300]

    /// Hosts that publish at random, lose, repeat and reorder messages, restart and lose their state; then the faults
    /// stop, and push/pull with random partners brings all to the same.
    @Test("Whatever was lost, all hosts come to the same", arguments: seeds)
    func convergence(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        let names = try (0..<6).map { try node("host-\($0)") }
        var hosts: [Catalogue] = []
        func start(_ index: Int, at seconds: Double) throws -> Catalogue {
            var host = Catalogue(own: names[index], at: moment(seconds).wall)
            for other in names.indices where other != index {
                _ = host.nodeStateChanged(
                    names[other],
                    to: .alive,
                    address: try ip("10.0.0.\(other + 1)"),
                    now: moment(seconds).monotonic
                )
            }
            return host
        }
        for index in names.indices { hosts.append(try start(index, at: 0)) }
        var wire: [(to: Int, payload: [UInt8])] = []
        func tell(_ events: [CatalogueEvent], from sender: Int) {
            for event in events {
                for to in names.indices where to != sender { wire.append((to, event.payload)) }
            }
        }
        let mayRestartBackwards = seed.isMultiple(of: 3)
        for step in 0..<120 {
            let now = moment(Double(step))
            let actor = Int.random(in: names.indices, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                // Its clock may have lost time as well.
                hosts[actor] = try start(actor, at: mayRestartBackwards ? -1000 : Double(step))
                fallthrough
            case 1..<8:
                let services = try (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                    try record(
                        "s\(Int.random(in: 0..<5, using: &generator))",
                        healthy: Bool.random(using: &generator)
                    )
                }
                tell(hosts[actor].publish(services), from: actor)
            default:
                guard let index = wire.indices.randomElement(using: &generator) else { continue }
                let message = Bool.random(using: &generator) ? wire[index] : wire.remove(at: index)
                if Int.random(in: 0..<4, using: &generator) > 0 {
                    tell(try hosts[message.to].merge(message.payload, now: now).events, from: message.to)
                }
            }
        }
        wire = []
        for round in 0..<12 {
            let now = moment(1000 + 20 * Double(round))
            for index in names.indices {
                let partner = (index + 1 + round % 5) % names.count
                let forIndex = try hosts[partner].digestReceived(hosts[index].digest(), now: now)
                let forPartner = try hosts[index].digestReceived(hosts[partner].digest(), now: now)
                tell(forIndex.events, from: partner)
                tell(forPartner.events, from: index)
                try hosts[index].mergeAll(forIndex.missing, now: now)
                try hosts[partner].mergeAll(forPartner.missing, now: now)
            }
            for index in names.indices {
                for request in hosts[index].tick(now.monotonic).requests {
                    guard let about = names.firstIndex(of: request.about) else { continue }
                    let change = try hosts[about].merge(request.payload, now: now)
                    tell(change.events, from: about)
                    try hosts[index].mergeAll(change.answers, now: now)
                }
            }
            for message in wire { _ = try hosts[message.to].merge(message.payload, now: now) }
            wire = []
        }
        for host in hosts {
            for (index, name) in names.enumerated() {
                #expect(
                    host.records(of: name) == hosts[index].records(of: name),
                    "seed \(seed): \(host.own) on \(name)"
                )
            }
            #expect(host.gaps.isEmpty, "seed \(seed)")
        }
        let digests = hosts.indices.map { hosts[$0].digest() }
        #expect(digests.allSatisfy { $0 == digests[0] }, "seed \(seed)")
    }
}

import Testing
import WeftCore

@testable import WeftGossip

@Suite("User events and queries")
struct EventAndQueryTests {
    private func send(_ network: TestNetwork, from index: Int, _ name: String, _ payload: String = "") throws {
        try network.command(index) { node, now, random, actions throws(GossipError) in
            try node.sendUserEvent(
                name: name,
                payload: Array(payload.utf8),
                coalesce: true,
                now: now,
                using: &random,
                into: &actions
            )
        }
    }

    private func ask(_ network: TestNetwork, _ index: Int, _ request: QueryRequest) throws -> QueryKey {
        try network.command(index) { node, now, random, actions throws(GossipError) in
            try node.startQuery(request, now: now, using: &random, into: &actions)
        }
    }

    private func responses(_ network: TestNetwork, on index: Int) -> [QueryResponse] {
        network.hosts[index].log.compactMap { if case .queryResponse(let response) = $0 { response } else { nil } }
    }

    private func outcomes(_ network: TestNetwork, on index: Int) -> [QueryOutcome] {
        network.hosts[index].log.compactMap { if case .queryFinished(let outcome) = $0 { outcome } else { nil } }
    }

    private func incoming(_ network: TestNetwork, on index: Int) -> [IncomingQuery] {
        network.hosts[index].log.compactMap { if case .queryReceived(let query) = $0 { query } else { nil } }
    }

    @Test(arguments: 1...5) func eventReachesEverybodyOnce(seed: UInt64) throws {
        let network = TestNetwork(seed: seed)
        try network.pool(of: 5)
        try send(network, from: 2, "deploy", "v7")
        network.advance(.seconds(60))
        for index in 0..<5 {
            let event = UserEvent(
                name: "deploy",
                payload: Array("v7".utf8),
                time: 1,
                coalesce: true,
                isOwn: index == 2
            )
            #expect(network.userEvents(on: index) == [event])
        }
        #expect(network.hosts.allSatisfy { $0.node.gauges.eventClock == 2 && $0.node.gauges.queuedEvents == 0 })
    }

    @Test func eachEventLeavesANodeAsOftenAsTheLimit() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        network.advance(.seconds(10))
        try send(network, from: 0, "x")
        network.advance(.seconds(10))
        for host in network.hosts { #expect(host.node.counters.messagesOut[.userEvent] == 4) }
    }

    @Test func newcomersSkipOldEventsUnlessTheyWantThem() throws {
        let network = TestNetwork()
        try network.pool(of: 2)
        try send(network, from: 0, "old")
        network.advance(.seconds(5))
        let skipping = try network.add()
        let replaying = try network.add { $0.replaysOldEvents = true }
        try network.join(skipping, to: 0)
        try network.join(replaying, to: 0)
        network.advance(.seconds(60))
        #expect(network.userEvents(on: skipping).isEmpty)
        #expect(network.userEvents(on: replaying).map { $0.name } == ["old"])
        try send(network, from: 1, "new")
        network.advance(.seconds(5))
        #expect(network.userEvents(on: skipping).map { $0.name } == ["new"])
    }

    @Test func longEventsAreRefused() throws {
        let network = TestNetwork()
        try network.add()
        #expect(throws: GossipError.self) { try send(network, from: 0, "x", String(repeating: "y", count: 512)) }
        #expect(throws: GossipError.emptyName) { try send(network, from: 0, "") }
        #expect(network.hosts[0].node.gauges.eventClock == 1)
    }

    @Test func everybodyIsAskedAndAnswers() throws {
        let network = TestNetwork()
        try network.pool(of: 4)
        var request = QueryRequest(name: "uptime", payload: [1])
        request.wantsAcknowledgements = true
        let key = try ask(network, 0, request)
        network.advance(.seconds(1))
        for index in 0..<4 {
            let query = try #require(incoming(network, on: index).first)
            #expect(query.key == key && query.name == "uptime" && query.payload == [1] && query.source == "n0")
            try network.command(index) { node, now, random, actions throws(GossipError) in
                try node.respond(to: key, with: [UInt8(index)], now: now, using: &random, into: &actions)
            }
            #expect(throws: GossipError.noSuchQuery) {
                try network.command(index) { node, now, random, actions throws(GossipError) in
                    try node.respond(to: key, with: [], now: now, using: &random, into: &actions)
                }
            }
        }
        network.advance(.seconds(5))
        let answers = responses(network, on: 0)
        #expect(answers.filter { $0.content == .acknowledgement }.map { $0.from }.sorted() == ["n0", "n1", "n2", "n3"])
        for index in 0..<4 {
            let answer = QueryResponse(
                query: key,
                from: MemberName("n\(index)"),
                content: .answer([UInt8(index)])
            )
            #expect(answers.filter { $0 == answer }.count == 1)
        }
        #expect(outcomes(network, on: 0) == [QueryOutcome(query: key, acknowledgements: 4, answers: 4)])
    }

    @Test(arguments: [
        ([QueryFilter.nodes(["n1", "n3"])], [1, 3]),
        ([.tag(name: "role", expression: "^web-[12]$")], [1, 2]),
        ([.tag(name: "role", expression: "web"), .nodes(["n2"])], [2]),
        ([.tag(name: "absent", expression: "^$")], [0, 1, 2, 3]),
        ([.tag(name: "role", expression: "(")], []),
        ([.unsupported([9])], []),
    ])
    func filtersChooseWhoIsAsked(filters: [QueryFilter], asked: [Int]) throws {
        let network = TestNetwork()
        for index in 0..<4 { try network.add { $0.tags = ["role": "web-\(index)"] } }
        for index in 1..<4 { try network.join(index, to: 0) }
        network.advance(.seconds(3))
        var request = QueryRequest(name: "q")
        request.filters = filters
        _ = try ask(network, 0, request)
        network.advance(.seconds(3))
        #expect((0..<4).filter { !incoming(network, on: $0).isEmpty } == asked)
    }

    @Test func relayedAnswersComeThroughWhenTheDirectWayIsCut() throws {
        let network = TestNetwork()
        try network.pool(of: 6)
        network.cut(0, 1)
        var request = QueryRequest(name: "_serf_ping")
        request.wantsAcknowledgements = true
        request.relayFactor = 4
        let key = try ask(network, 0, request)
        network.advance(.seconds(5))
        #expect(outcomes(network, on: 0) == [QueryOutcome(query: key, acknowledgements: 6, answers: 0)])
    }

    @Test func queriesAreBounded() throws {
        let network = TestNetwork()
        try network.add { $0.limits.runningQueries = 2 }
        _ = try ask(network, 0, QueryRequest(name: "a"))
        _ = try ask(network, 0, QueryRequest(name: "b"))
        #expect(throws: GossipError.tooManyQueries(limit: 2)) { try ask(network, 0, QueryRequest(name: "c")) }
        network.advance(.seconds(5))
        #expect(throws: GossipError.self) {
            try ask(network, 0, QueryRequest(name: "d", payload: Array(repeating: 0, count: 1024)))
        }
    }
}

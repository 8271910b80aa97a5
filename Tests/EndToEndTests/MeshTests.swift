import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// How fast five hosts with ten services each learn of what comes and goes; and how fast a pool of stock agents does
    /// that runs on the same hosts, beside weft.
    @Suite struct MeshTests {
        private static let hosts = 5
        private static let services = 10
        /// Gossip of the stock pool.
        private static let stockPort = 7956
        private static let deaths = 5

        @Test func whatComesAndGoesIsKnownEverywhereInSeconds() async throws {
            // The pools must not see each other, and weft must not carry the other's exchanges.
            let configuration = "[capture.exclude]\nports = [\(Self.stockPort)]\n"
            try await withMesh(Self.hosts, configuration: configuration) { hosts in
                var observers: [CatalogueObserver] = []
                for host in hosts {
                    try await host.startServices(1...Self.services)
                    observers.append(try await CatalogueObserver.start(on: host))
                }
                for host in hosts { try await waitUntilAllIsKnown(to: host) }
                try await measureArrivals(observers)
                try await measureLeave(observers)
                try await measureDeaths(observers)
            }
        }

        private func waitUntilAllIsKnown(to host: TestHost) async throws {
            try await waitUntil("\(host.name) knows all services", every: .milliseconds(50)) {
                let rows = try await host.services().filter { $0.name.hasPrefix("svc") }
                return rows.count == Self.services && rows.allSatisfy { $0.endpoints.count == Self.hosts }
            }
        }

        /// A unit is started on each host in turn: when do all know its service?
        private func measureArrivals(_ observers: [CatalogueObserver]) async throws {
            var times: [Double] = []
            for number in 1...10 {
                let host = observers[number % observers.count].host
                try await host.write(
                    "[Service]\nExecStart=\(meshProgram("listen \(9200 + number)"))\nUser=daemon\n",
                    to: "/etc/systemd/system/new\(number).service"
                )
                try await host.run("systemctl", "daemon-reload")
                let begun = wallSeconds()
                try await host.run("systemctl", "start", "new\(number).service")
                let line = "+ \(host.name) new\(number) \(9200 + number)"
                times.append(try await observers.lastTime(of: [line], since: begun) - begun)
            }
            print("measured: a new unit's service is known on all \(observers.count) hosts: \(summary(times))")
        }

        private func measureLeave(_ observers: [CatalogueObserver]) async throws {
            var times: [Double] = []
            var returns: [Double] = []
            for observer in observers {
                let host = observer.host
                let others = observers.filter { $0.host.name != host.name }
                let begun = wallSeconds()
                try await host.run("weft", "leave")
                times.append(try await others.lastTime(of: host.serviceLines("-"), since: begun) - begun)
                let joined = wallSeconds()
                try await host.run("weft", "join", others[0].host.address4)
                returns.append(try await others.lastTime(of: host.serviceLines("+"), since: joined) - joined)
                try await waitUntilAllIsKnown(to: host)
            }
            print("measured: after weft leave, endpoints are out of all routing: \(summary(times))")
            print("measured: after weft join, they are in it again: \(summary(returns))")
        }

        /// A host after the other dies: cut off, with weftd and the stock agent killed at the same time.
        private func measureDeaths(_ observers: [CatalogueObserver]) async throws {
            var stock: [SerfAgent] = []
            for observer in observers {
                let options = observers.map { "-retry-join=\($0.host.address4):\(Self.stockPort)" }
                stock.append(
                    try await .start(
                        on: observer.host,
                        unit: "stock.service",
                        port: Self.stockPort,
                        options: options + ["-retry-interval=1s"]
                    )
                )
            }
            let everybody = Dictionary(uniqueKeysWithValues: observers.map { ($0.host.name, "alive") })
            try await expectPool(
                everybody,
                seenBy: stock.map { .serf($0) },
                within: .seconds(60),
                "the stock pool is up"
            )
            var ours: [Double] = []
            var theirs: [Double] = []
            var returns: [Double] = []
            for number in 0..<Self.deaths {
                let victim = observers[number % observers.count].host
                let others = observers.filter { $0.host.name != victim.name }
                let agents = stock.filter { $0.name != victim.name }
                let begun = wallSeconds()
                try await victim.connect(to: .nowhere)
                for unit in ["weftd.service", "stock.service"] { try await victim.killForGood(unit) }
                ours.append(try await others.lastTime(of: victim.serviceLines("-"), since: begun) - begun)
                theirs.append(try await agents.lastTime(of: "EventMemberFailed: \(victim.name) ", since: begun) - begun)
                print(
                    "measured: death \(number + 1): weft \(rounded(ours[number])) s, stock \(rounded(theirs[number])) s"
                )

                let back = wallSeconds()
                try await victim.connect(to: .lan)
                for unit in ["weftd.service", "stock.service"] { try await victim.revive(unit) }
                returns.append(try await others.lastTime(of: victim.serviceLines("+"), since: back) - back)
                try await waitUntilAllIsKnown(to: victim)
                try await expectPool(
                    everybody,
                    seenBy: stock.map { .serf($0) } + observers.map { .weft($0.host) },
                    within: .seconds(60),
                    "both pools are whole again"
                )
            }
            print("measured: a dead host's endpoints are out of all routing: \(summary(ours))")
            print("measured: beside it, all stock agents call it failed: \(summary(theirs))")
            print("measured: when it starts again, they are in it again: \(summary(returns))")
            #expect(median(ours) <= median(theirs))
        }
    }
}

extension TestHost {
    /// What observers write when the services of `startServices(1...10)` come or go.
    fileprivate func serviceLines(_ sign: String) -> [String] {
        (1...10).map { "\(sign) \(name) svc\($0) \(9100 + $0)" }
    }
}

/// Writes down when a host's endpoints come and go; see `follow` of `Programs/mesh.py`.
private struct CatalogueObserver: Sendable {
    let host: TestHost

    private static let path = "/var/lib/endpoints"

    static func start(on host: TestHost) async throws -> CatalogueObserver {
        try await host.start(.init("observer.service", meshProgram("follow \(path)")))
        return CatalogueObserver(host: host)
    }

    /// When it wrote a line that ends so, of those since a moment.
    func times(since: Double) async throws -> [Substring: Double] {
        var times: [Substring: Double] = [:]
        for line in try await host.attempt("cat", Self.path).lines {
            guard let space = line.firstIndex(of: " "), let time = Double(line[..<space]), time >= since else {
                continue
            }
            times[line[line.index(after: space)...]] = time
        }
        return times
    }
}

extension [CatalogueObserver] {
    /// Waits until all of them have written all of these lines since a moment; when the last of them did.
    fileprivate func lastTime(of lines: [String], since: Double) async throws -> Double {
        var last = since
        for observer in self {
            let times = try await waitFor(
                "\(observer.host.name) sees \(lines)",
                within: .seconds(60),
                every: .milliseconds(300)
            ) {
                let times = try await observer.times(since: since)
                return lines.allSatisfy { times[$0[...]] != nil } ? lines.compactMap { times[$0[...]] } : nil
            }
            last = Swift.max(last, times.max() ?? since)
        }
        return last
    }
}

extension [SerfAgent] {
    /// Waits until all of them have said it since a moment; when the last of them did.
    fileprivate func lastTime(of text: String, since: Double) async throws -> Double {
        var last = since
        for agent in self {
            let time = try await waitFor(
                "\(agent.name) says \(text)",
                within: .seconds(90),
                every: .milliseconds(300)
            ) { try await agent.said(text, since: since) }
            last = Swift.max(last, time)
        }
        return last
    }
}

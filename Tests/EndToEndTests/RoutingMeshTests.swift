import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// Connections to services of other hosts: recognised, named, and balanced.
    @Suite struct RoutingMeshTests {
        @Test func aVirtualAddressIsBalancedOverTheHostsThatOfferTheService() async throws {
            try await withMesh(3) { hosts in
                for host in hosts[1...] { try await host.serveTraffic() }
                try await waitUntil("both endpoints are known") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000", "h3 9000"]
                }
                let service = try #require(try await hosts[0].services().first { $0.name == "echo" })
                #expect(service.unit == nil && service.addresses.isEmpty, "this host offers none itself")
                #expect(Set(service.endpoints.map(\.address)) == [hosts[1].address4, hosts[2].address4])
                #expect(!service.virtualAddresses.isEmpty)
                for address in service.virtualAddresses {
                    let before = try await inboundCounts(hosts)
                    for number in 1...16 {
                        let report = try await hosts[0].client("echo \(address) 9000 hello", as: "vip\(number).service")
                        #expect(report.answer == "hello", "\(address)")
                    }
                    try await waitUntil("both hosts have carried some of them") {
                        let carried = zip(try await inboundCounts(hosts), before).map { $0 - $1 }
                        return carried.allSatisfy { $0 > 0 } && carried.reduce(0, +) == 16
                    }
                    let decision = try await hosts[0].decision { $0.destination.contains(address) }
                    #expect(decision.path == "peer" && decision.service == "echo", "\(decision)")
                }

                // While it is open, too; and by the endpoint's own address.
                for (number, address) in [service.virtualAddresses[0], hosts[1].address4].enumerated() {
                    let unit = "watch\(number).service"
                    let client = try await hosts[0].startClient("watch \(address) 9000", as: unit)
                    let row = try await waitFor("\(unit) is listed") {
                        try await hosts[0].connections().first { $0.source.unit == unit }
                    }
                    #expect(row.path == "peer" && row.service == "echo", "\(row)")
                    #expect(try await client.end().result == "removed")
                }

                try await hosts[1].stop("echo.service")
                try await waitUntil("an endpoint that has gone is out of routing") {
                    try await hosts[0].endpoints(of: "echo") == ["h3 9000"]
                }
                for _ in 1...4 {
                    let report = try await hosts[0].client("echo \(service.virtualAddresses[0]) 9000 hello")
                    #expect(report.answer == "hello")
                }
            }
        }

        /// Connections to `echo` that each but the first host has carried inbound.
        private func inboundCounts(_ hosts: [TestHost]) async throws -> [Int] {
            var counts: [Int] = []
            for host in hosts[1...] {
                counts.append(try await host.decisions().filter { $0.path == "inbound" && $0.service == "echo" }.count)
            }
            return counts
        }

        @Test func scopeMeshCapturesWhatTheMeshKnowsAndNothingElse() async throws {
            try await withMesh(2, configuration: "[service.hidden]\nexpose = false\n", joined: false) { hosts in
                try await hosts[0].configureWeft("[capture]\nscope = \"mesh\"\n")
                try await hosts[0].run("systemctl", "restart", "weftd.service")
                try await hosts[0].run("weft", "join", hosts[1].address4)
                try await hosts[1].serveTraffic()
                try await hosts[1].start(
                    .init("hidden.service", traffic("serve 9001"), user: "daemon"),
                    listeningOn: 9001
                )
                try await waitUntil("the service is known") {
                    try await hosts[0].endpoints(of: "echo") == ["h2 9000"]
                }
                #expect(try await hosts[0].endpoints(of: "hidden").isEmpty)

                let direct = try await hosts[0].client("echo \(hosts[1].address4) 9001 hello", as: "direct.service")
                #expect(direct.answer == "hello")
                let carried = try await hosts[0].client("echo \(hosts[1].address4) 9000 hello", as: "carried.service")
                #expect(carried.answer == "hello")
                let decision = try await hosts[0].decision { $0.source.unit == "carried.service" }
                #expect(decision.path == "peer" && decision.service == "echo")
                #expect(try await hosts[0].decisions().allSatisfy { $0.source.unit != "direct.service" })

                try await hosts[1].start(
                    .init("late.service", traffic("serve 9002"), user: "daemon"),
                    listeningOn: 9002
                )
                try await waitUntil(
                    "a service that appears is captured",
                    within: .seconds(20),
                    every: .milliseconds(200)
                ) {
                    let report = try await hosts[0].client(
                        "echo \(hosts[1].address4) 9002 hello",
                        as: "late-client.service"
                    )
                    #expect(report.answer == "hello")
                    return try await hosts[0].decisions().contains { $0.service == "late" && $0.path == "peer" }
                }
                try await hosts[1].stop("late.service")
                try await waitUntil("and no longer when it has gone", every: .milliseconds(200)) {
                    try await hosts[0].endpoints(of: "late").isEmpty
                }
                let gone = try await hosts[0].attempt("bash", "-c", "exec 3<>/dev/tcp/\(hosts[1].address4)/9002")
                #expect(gone.standardError.contains("refused"), "the host itself says so: \(gone.standardError)")
            }
        }
    }
}

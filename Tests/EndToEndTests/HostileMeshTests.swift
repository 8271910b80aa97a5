import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

extension EndToEnd {
    /// A host on the same network that sends what no peer would.
    @Suite struct HostileMeshTests {
        private static let vectors = "\(TestHost.repositoryPath)/Tests/WeftGossipTests/Fixtures/vectors.json"
        private static let seconds = 8

        private struct Sent: Decodable {
            var datagrams: Int
            var streams: Int
        }

        @Test(arguments: ["plain", "encrypted"])
        func rubbishIsCountedAndNothingElse(_ kind: String) async throws {
            let key = kind == "encrypted" ? SerfMeshTests.keys[0] : nil
            try await withMesh(3, weft: 2, key: key) { hosts in
                let members = hosts[..<2]
                let processes = try await mainProcesses(members)
                let memory = try await resident(members)
                let dropsBefore = try await total(members)

                let targets = members.map(\.address4).joined(separator: " ")
                let output = try await hosts[2].run(
                    as: .init(
                        "rubbish.service",
                        meshProgram("rubbish \(Self.vectors) \(Self.seconds) 2000 \(targets)"),
                        settings: ["LimitNOFILE=65536"]
                    )
                )
                let sent = try JSONDecoder().decode(Sent.self, from: Data(output.standardOutput.utf8))
                try #require(sent.datagrams > 1000 && sent.streams > 100, "\(output)")

                let drops = try await members[0].drops()
                let dropped = try await total(members) - dropsBefore
                print("measured: \(kind): of \(sent), dropped \(Int(dropped)), by reason on h1: \(drops)")
                #expect(drops.count >= (key == nil ? 5 : 2))
                #expect(dropped > Double(sent.datagrams) / 3)
                #expect(try await mainProcesses(members) == processes, "neither of them died")
                let growth = zip(try await resident(members), memory).map { ($0 - $1) / 1024 }
                print("measured: \(kind): resident memory grew by \(growth) KiB")
                #expect(growth.allSatisfy { $0 < 24 << 10 })

                // Real members may have been missed for a moment, and are there.
                for host in members {
                    try await waitUntil("\(host.name) sees both alive") {
                        let peers = try await host.peers()
                        return peers.filter { $0.name.hasPrefix("h") && $0.state == .alive }.count == 2
                    }
                    #expect(try await host.events().allSatisfy { $0.kind != "peer-failed" || $0.node?.first != "h" })
                }
                // And what they say is heard. Without a key, a dozen made-up members have been believed, and news goes to
                // them, too, until they are found dead; then it may take an exchange of states to hear of it.
                try await hosts[1].startServices(1...1)
                let begun = ContinuousClock.now
                try await waitUntil("gossip goes on", within: .seconds(400), every: .milliseconds(100)) {
                    try await hosts[0].endpoints(of: "svc1") == ["h2 9101"]
                }
                print("measured: \(kind): a new service is heard of after \(ContinuousClock.now - begun)")
            }
        }

        private func mainProcesses(_ hosts: ArraySlice<TestHost>) async throws -> [Int] {
            var processes: [Int] = []
            for host in hosts { processes.append(try await host.mainProcess(of: "weftd.service")) }
            return processes
        }

        private func resident(_ hosts: ArraySlice<TestHost>) async throws -> [Int] {
            var resident: [Int] = []
            for host in hosts { resident.append(try await host.residentBytes(of: "weftd.service")) }
            return resident
        }

        private func total(_ hosts: ArraySlice<TestHost>) async throws -> Double {
            var total = 0.0
            for host in hosts { total += try await host.drops().values.reduce(0, +) }
            return total
        }
    }
}

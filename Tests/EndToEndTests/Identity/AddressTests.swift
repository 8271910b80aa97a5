import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// A host has more addresses than the one that gossip knows.
    @Suite struct AddressTests {
        @Test func noAddressOfAHostIsAWayAroundTheMesh() async throws {
            try await withIdentities { hosts in
                let (near, far) = (hosts[0], hosts[1])
                try await far.serveTraffic()
                try await near.waitForTunnel(to: far)
                #expect(try await security(of: far.address6, from: near) == .mtls)

                // One that comes later.
                try await far.run("ip", "address", "add", "10.77.0.102/24", "dev", "eth0")
                try await waitUntil("the new address leads into the mesh") {
                    try await security(of: "10.77.0.102", from: near) == .mtls
                }
                // Virtual addresses lead to the one that gossip reaches.
                let service = try #require(try await near.services().first { $0.name == "echo" })
                #expect(service.endpoints.map(\.address) == [far.address4])
                for virtual in service.virtualAddresses {
                    #expect(try await security(of: virtual, from: near) == .mtls)
                }
            }
        }

        /// Every host of containers has the same address there.
        @Test func addressesOfContainersBridgesAreNobodys() async throws {
            try await withIdentities { hosts in
                let (near, far) = (hosts[0], hosts[1])
                try await far.serveTraffic()
                try await far.shell(
                    """
                    ip link add docker9 type bridge
                    ip address add 172.31.9.1/24 dev docker9
                    ip link set docker9 up
                    ip address add 10.77.0.102/24 dev eth0
                    """
                )
                try await near.run("ip", "route", "add", "172.31.9.0/24", "via", far.address4)
                try await near.waitForTunnel(to: far)
                try await waitUntil("the addresses are known") {
                    try await security(of: "10.77.0.102", from: near) == .mtls
                }
                #expect(try await security(of: "172.31.9.1", from: near) == .plaintext)
            }
        }

        private func security(of address: String, from host: TestHost) async throws -> ConnectionSecurity {
            let unit = "to-\(address.filter { $0.isLetter || $0.isNumber }).service"
            #expect(try await host.client("echo \(address) 9000 hello", as: unit).answer == "hello")
            return try await host.decision(of: unit).security
        }
    }
}

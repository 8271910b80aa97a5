import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Snapshots of the mesh")
struct MeshBuilderTests {
    private static let own: Set<IPAddress> = Set(["127.0.0.1", "::1", "10.0.0.1"].compactMap { IPAddress($0) })

    private func endpoint(
        _ service: String,
        on host: String,
        _ address: String,
        port: UInt16 = 80,
        explicit: Bool = false,
        healthy: Bool = true
    ) throws -> Endpoint {
        try #require(
            Endpoint(
                service: try name(service),
                node: try node(host),
                port: port,
                addresses: [try ip(address)],
                hasExplicitAddresses: explicit,
                isHealthy: healthy
            )
        )
    }

    private func local(_ service: String, port: UInt16 = 80) throws -> LocalService {
        LocalService(
            name: try name(service),
            unit: "\(service).service",
            tenant: .system,
            uid: .root,
            port: port,
            addresses: [.anyV4],
            isExposed: true,
            labels: [:],
            protocolHint: nil
        )
    }

    private func change(removed: [Endpoint] = [], added: [Endpoint] = []) -> CatalogueChange {
        var change = CatalogueChange()
        (change.removed, change.added) = (removed, added)
        return change
    }

    /// What stands behind a service's virtual address, and whether its own host calls it healthy.
    private func targets(_ snapshot: MeshSnapshot, _ service: String, port: UInt16 = 80) throws -> [String: Bool] {
        let address = try #require(snapshot.service(named: try name(service))?.virtualAddress)
        guard case .virtual(let group) = snapshot.locate(NetworkAddress(address.v4, port: port)) else { return [:] }
        let endpoints = group.endpoints.map { ($0.target(preferring: .v4).description, $0.isHealthy) }
        return Dictionary(uniqueKeysWithValues: endpoints)
    }

    @Test("A peer's endpoint is known at its address and port, until it goes")
    func realAddress() throws {
        var builder = MeshBuilder()
        let web = try endpoint("web", on: "b", "10.0.0.2")
        builder.apply(change(added: [web]))
        let first = builder.build()
        let address = try #require(NetworkAddress("10.0.0.2:80"))
        #expect(first.snapshot.locate(address) == .endpoint(web))
        #expect(first.snapshot.locate(NetworkAddress(address.ip, port: 81)) == .outside)
        #expect(first.addedDestinations == [address] && first.removedDestinations.isEmpty)
        #expect(first.addressesChanged)
        builder.apply(change(removed: [web]))
        let second = builder.build()
        #expect(second.snapshot.locate(address) == .outside && second.snapshot.services.isEmpty)
        #expect(second.removedDestinations == [address] && second.snapshot.destinations.isEmpty)
        #expect(!second.addressesChanged, "an address once given stays")
        #expect(first.snapshot.locate(address) == .endpoint(web), "a snapshot never changes")
    }

    @Test("All endpoints stand behind a virtual address, this host's first, and each with its health")
    func group() throws {
        var builder = MeshBuilder()
        builder.setLocal(services: [try local("web")], ownAddresses: Self.own)
        let sick = try endpoint("web", on: "c", "10.0.0.3", healthy: false)
        builder.apply(
            change(added: [try endpoint("web", on: "d", "10.0.0.4"), sick, try endpoint("web", on: "b", "10.0.0.2")])
        )
        let snapshot = builder.build().snapshot
        #expect(
            try targets(snapshot, "web")
                == ["127.0.0.1:80": true, "10.0.0.2:80": true, "10.0.0.3:80": false, "10.0.0.4:80": true]
        )
        let group = try #require(snapshot.service(named: try name("web"))?.groups.first)
        #expect(group.endpoints.map(\.node?.text) == [nil, "b", "c", "d"])
        builder.apply(change(removed: [sick], added: [try endpoint("web", on: "c", "10.0.0.3")]))
        #expect(try targets(builder.build().snapshot, "web")["10.0.0.3:80"] == true)
    }

    @Test("Each port of a service has its own endpoints behind the one virtual address")
    func ports() throws {
        var builder = MeshBuilder()
        builder.apply(
            change(added: [
                try endpoint("web", on: "b", "10.0.0.2"), try endpoint("web", on: "b", "10.0.0.2", port: 443),
                try endpoint("web", on: "c", "10.0.0.3", port: 443),
            ])
        )
        let snapshot = builder.build().snapshot
        #expect(try targets(snapshot, "web") == ["10.0.0.2:80": true])
        #expect(try targets(snapshot, "web", port: 443) == ["10.0.0.2:443": true, "10.0.0.3:443": true])
        #expect(try targets(snapshot, "web", port: 81) == [:])
        #expect(snapshot.services.map { $0.groups.map(\.port) } == [[80, 443]])
    }

    @Test("Nobody's claim takes this host's own addresses, and a host's own address is its own first")
    func claims() throws {
        var builder = MeshBuilder()
        builder.setLocal(services: [try local("web")], ownAddresses: Self.own)
        let thief = try endpoint("aaa", on: "a", "10.0.0.2", explicit: true)
        let owner = try endpoint("web", on: "b", "10.0.0.2")
        let claim = try endpoint("evil", on: "a", "10.0.0.1", explicit: true)
        let other = try endpoint("evil", on: "a", "10.0.0.1", port: 99, explicit: true)
        builder.apply(change(added: [thief, owner, claim, other]))
        let address = try #require(NetworkAddress("10.0.0.2:80"))
        let first = builder.build().snapshot
        #expect(first.locate(address) == .endpoint(owner))
        #expect(first.locate(try #require(NetworkAddress("10.0.0.1:80"))) == .local(try local("web")))
        #expect(first.locate(try #require(NetworkAddress("10.0.0.1:99"))) == .outside)
        builder.apply(change(removed: [owner]))
        let second = builder.build()
        #expect(second.snapshot.locate(address) == .endpoint(thief) && second.removedDestinations.isEmpty)
        builder.apply(change(added: [owner]))
        builder.apply(change(removed: [thief]))
        #expect(builder.build().snapshot.locate(address) == .endpoint(owner))
    }

    /// Every change made in small steps, against a snapshot made from the result at once.
    @Test("Small steps come to the same as a fresh start", arguments: 1...8 as ClosedRange<UInt64>)
    func incremental(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        var builder = MeshBuilder()
        var present: [String: Endpoint] = [:]
        var destinations: Set<NetworkAddress> = []
        var locals: [LocalService] = []
        for _ in 0..<300 {
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let host = Int.random(in: 2...9, using: &generator)
                let service = "s\(Int.random(in: 0...4, using: &generator))"
                let port = UInt16.random(in: 80...81, using: &generator)
                let id = "\(service) \(host) \(port)"
                var next = CatalogueChange()
                if let before = present[id] { next.removed = [before] }
                // Two hosts share each address.
                let after = try endpoint(
                    service,
                    on: "host-\(host)",
                    "10.0.0.\(2 + host / 2)",
                    port: port,
                    healthy: Bool.random(using: &generator)
                )
                present[id] = Bool.random(using: &generator) ? after : nil
                if let added = present[id] { next.added = [added] }
                builder.apply(next)
            }
            if Int.random(in: 0..<10, using: &generator) == 0 {
                locals = try (0..<Int.random(in: 0...3, using: &generator)).map { try local("s\($0)") }
                builder.setLocal(services: locals, ownAddresses: Self.own)
            }
            let update = builder.build()
            destinations = destinations.union(update.addedDestinations).subtracting(update.removedDestinations)
            var fresh = MeshBuilder(virtualAddresses: builder.virtualAddresses)
            fresh.setLocal(services: locals, ownAddresses: Self.own)
            fresh.apply(change(added: present.sorted { $0.key > $1.key }.map(\.value)))
            let expected = fresh.build().snapshot
            #expect(update.snapshot.services == expected.services, "seed \(seed)")
            #expect(update.snapshot.serviceCount == expected.services.count)
            #expect(destinations == expected.destinations && update.snapshot.destinations == destinations)
            for address in destinations { #expect(update.snapshot.locate(address) == expected.locate(address)) }
            for virtual in builder.virtualAddresses.addresses.values {
                for port in 80...81 as ClosedRange<UInt16> {
                    for ip in [virtual.v4, virtual.v6] {
                        let address = NetworkAddress(ip, port: port)
                        #expect(update.snapshot.locate(address) == expected.locate(address))
                    }
                }
            }
        }
    }

    @Test(
        "Hosts that learn of the same names together give them the same addresses; a full table serves what is in use"
    )
    func virtualAddresses() throws {
        let endpoints = try (0..<200).map {
            try endpoint("service-\($0)", on: "b", "10.0.0.2", port: UInt16(1000 + $0))
        }
        var one = MeshBuilder()
        one.apply(change(added: endpoints))
        var two = MeshBuilder()
        two.apply(change(added: endpoints.reversed()))
        #expect(one.build().snapshot.services == two.build().snapshot.services)

        let names = try (0..<VirtualAddresses.namesMax).map { try name("old-\($0)") }
        var full = MeshBuilder(virtualAddresses: VirtualAddresses().allocating(names))
        full.apply(change(added: endpoints))
        #expect(full.build().snapshot.services.allSatisfy { $0.virtualAddress != nil })
        #expect(full.virtualAddresses.addresses.count == VirtualAddresses.namesMax)
    }

    /// Prints what one change costs in a large mesh; only the number of copied shards is asserted.
    @Test("One change among 1,000 hosts with 20 services each copies a few shards")
    func cost() throws {
        var catalogue = try catalogue("own")
        var builder = MeshBuilder()
        builder.setLocal(services: [try local("web")], ownAddresses: Self.own)
        var hosts: [Catalogue] = []
        let clock = ContinuousClock()
        let loading = try clock.measure {
            for index in 0..<1000 {
                var host = try WeftCatalogTests.catalogue("node-\(index)")
                let services = try (0..<20).map { service in
                    // Half of the services are everywhere, half only there.
                    try record(service < 10 ? "common-\(service)" : "own-\(index)-\(service)", UInt16(1000 + service))
                }
                let met = try catalogue.meet("node-\(index)", at: "10.1.\(index / 250).\(index % 250 + 1)")
                builder.apply(met)
                for payload in host.publish(services).map(\.payload) {
                    builder.apply(try catalogue.merge(payload, now: moment()))
                }
                hosts.append(host)
            }
        }
        let full = clock.measure { _ = builder.build() }
        #expect(builder.build().snapshot.destinations.count == 20_000)

        var snapshots: [MeshSnapshot] = []
        var services = hosts[500].records(of: hosts[500].own)
        var (most, times) = (0, [Duration]())
        for index in 0..<20 {
            let old = services[index]
            services[index] = ServiceRecord(key: old.key, isHealthy: false)
            let payloads = hosts[500].publish(services).map(\.payload)
            #expect(payloads.count == 1)
            times.append(
                try clock.measure {
                    builder.apply(try catalogue.merge(payloads[0], now: moment()))
                    let update = builder.build()
                    snapshots.append(update.snapshot)
                    most = max(most, update.rebuiltShards)
                }
            )
        }
        #expect(most <= 4, "an address, two virtual addresses, a name")
        var leaving = CatalogueChange()
        let failure = clock.measure {
            leaving = catalogue.nodeStateChanged(hosts[7].own, to: .failed, address: nil, now: moment().monotonic)
            builder.apply(leaving)
            snapshots.append(builder.build().snapshot)
        }
        #expect(leaving.removed.count == 20)
        times.sort()
        print(
            "1,000 hosts x 20 services: loading \(loading), first snapshot \(full), one change \(times[10])",
            "(worst \(times[19])), a host's failure \(failure); \(most) shards copied for a change"
        )
    }
}

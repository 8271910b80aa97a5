import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Service records")
struct ServiceRecordTests {
    private func decoded(_ bytes: [UInt8]) throws(CatalogueError) -> RecordContent {
        var reader = ByteReader(bytes)
        return try RecordContent(&reader)
    }

    private func full() throws -> ServiceRecord {
        ServiceRecord(
            key: try key("api", 8080),
            tenant: try #require(TenantName("shop")),
            addresses: try ["10.0.0.9", "fd00::9"].map(ip),
            labels: ["version": "2", "weight": "10", "note": "größer"],
            protocolHint: "http",
            isHealthy: true
        )
    }

    @Test("The bytes of a record are as documented")
    func golden() throws {
        #expect(RecordContent.live(try record("api", 80)).encoded == [0x02, 3, 0x61, 0x70, 0x69, 0, 80])
        #expect(RecordContent.removed(try key("api", 80)).encoded == [0x01, 3, 0x61, 0x70, 0x69, 0, 80])
        let sick = try record("a", 256, addresses: ["10.0.0.9"], labels: ["k": "v"], healthy: false)
        #expect(
            RecordContent.live(sick).encoded == [0x30, 1, 0x61, 1, 0, 1, 4, 10, 0, 0, 9, 1, 1, 0x6b, 1, 0x76]
        )
    }

    @Test("What is encoded decodes to the same")
    func roundTrip() throws {
        let contents = [
            RecordContent.live(try full()), .live(try record("x")), .removed(try key("x")),
            .live(try record("y", 65535, labels: ["empty": ""], healthy: false)),
        ]
        for content in contents { #expect(try decoded(content.encoded) == content) }
    }

    @Test("Every cut, flipped or lengthened record decodes to what encodes alike, or fails within its bounds")
    func damage() throws {
        let bytes = RecordContent.live(try full()).encoded
        func check(_ damaged: [UInt8]) {
            do {
                #expect(try decoded(damaged).encoded == damaged)
            } catch CatalogueError.truncated(let offset, let needed) {
                #expect(offset == damaged.count && needed > 0)
            } catch CatalogueError.malformed(_, let offset) {
                #expect((0..<damaged.count).contains(offset))
            } catch {
                Issue.record("\(error)")
            }
        }
        for count in bytes.indices { check(Array(bytes.prefix(count))) }
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                check(damaged)
            }
        }
        var generator = Seeded(state: 1)
        for _ in 0..<5000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: damaged.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: damaged[index] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: damaged.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
                default: damaged.remove(at: index)
                }
            }
            check(damaged)
        }
    }

    @Test("What a later release adds is kept and passed on")
    func additions() throws {
        let later = [0x82, 3, 0x61, 0x70, 0x69, 0, 80, 9, 9, 9] as [UInt8]
        let content = try decoded(later)
        #expect(content.record?.key == (try key("api", 80)))
        #expect(content.encoded == later)
    }

    @Test(
        "A record that breaks a rule is refused where it does",
        arguments: [
            ([0x02, 0, 0, 80], .malformed(.service, at: 1)), ([0x02, 1, 0x41, 0, 80], .malformed(.service, at: 1)),
            ([0x02, 1, 0x61, 0, 0], .malformed(.port, at: 3)), ([0x03, 1, 0x61, 0, 80], .malformed(.service, at: 0)),
            ([0x01, 1, 0x61, 0, 80, 0], .malformed(.service, at: 0)),
            ([0x06, 1, 0x61, 0, 80, 0], .malformed(.tenant, at: 5)),
            ([0x06, 1, 0x61, 0, 80, 6] + Array("system".utf8), .malformed(.tenant, at: 5)),
            ([0x0a, 1, 0x61, 0, 80, 2, 0x1b, 0x5b], .malformed(.protocolHint, at: 5)),
            ([0x12, 1, 0x61, 0, 80, 0], .malformed(.address, at: 5)),
            ([0x12, 1, 0x61, 0, 80, 9], .malformed(.address, at: 5)),
            ([0x12, 1, 0x61, 0, 80, 1, 5, 1, 1, 1, 1, 1], .malformed(.address, at: 6)),
            ([0x12, 1, 0x61, 0, 80, 1, 4, 127, 0, 0, 1], .malformed(.address, at: 6)),
            ([0x12, 1, 0x61, 0, 80, 1, 4, 240, 0, 0, 1], .malformed(.address, at: 6)),
            ([0x12, 1, 0x61, 0, 80, 1, 4, 224, 0, 0, 1], .malformed(.address, at: 6)),
            ([0x12, 1, 0x61, 0, 80, 2, 4, 10, 0, 0, 2, 4, 10, 0, 0, 1], .malformed(.address, at: 11)),
            ([0x22, 1, 0x61, 0, 80, 33], .malformed(.label, at: 5)),
            ([0x22, 1, 0x61, 0, 80, 1, 1, 0x6b, 1, 0x1b], .malformed(.label, at: 6)),
            ([0x22, 1, 0x61, 0, 80, 1, 1, 0x6b, 2, 0xc2, 0x9b], .malformed(.label, at: 6)),
            ([0x22, 1, 0x61, 0, 80, 1, 1, 0x6b, 1, 0xff], .malformed(.label, at: 8)),
            ([0x22, 1, 0x61, 0, 80, 2, 1, 0x6b, 0, 1, 0x6b, 0], .malformed(.label, at: 9)),
            ([0x02, 1, 0x61, 0], .truncated(at: 4, needed: 1)), ([], .truncated(at: 0, needed: 1)),
        ] as [([UInt8], CatalogueError)]
    )
    func broken(_ bytes: [UInt8], _ error: CatalogueError) {
        #expect(throws: error) { try decoded(bytes) }
    }

    @Test("Labels and addresses beyond the limits are left out, and the longest record fits")
    func limits() throws {
        var labels = ["": "no key", "tab\t": "", "bell": "\u{7}"]
        for index in 0..<40 {
            labels[String(repeating: "k", count: 60) + "\(index + 100)"] = String(repeating: "v", count: 255)
        }
        let record = ServiceRecord(
            key: try key(String(repeating: "s", count: 63), 65535),
            tenant: try #require(TenantName(String(repeating: "t", count: 63))),
            addresses: try (0..<20).map { try ip("fd00::\($0 + 1)") } + [.loopbackV4, .anyV6],
            labels: labels,
            protocolHint: String(repeating: "p", count: 16)
        )
        #expect(record.labels.count == 32 && record.addresses.count == 8)
        let encoded = RecordContent.live(record).encoded
        #expect(encoded.count <= RecordContent.bytesMax)
        #expect(try decoded(encoded) == .live(record))
        #expect(ServiceRecord(key: record.key, protocolHint: "no spaces").protocolHint == nil)
    }

    @Test(
        "A service is found at the gossip address, or says where",
        arguments: [
            (["0.0.0.0"], ["10.0.0.5", "10.0.0.6"]), (["0.0.0.0", "::"], ["10.0.0.5", "10.0.0.6", "fd00::5"]),
            (["10.0.0.5"], []), (["10.0.0.5", "127.0.0.1"], []),
            (["127.0.0.1"], []), (["10.0.0.6"], ["10.0.0.6"]), (["10.0.0.5", "fd00::5"], ["10.0.0.5", "fd00::5"]),
            (["::"], ["fd00::5"]), (["fe80::1"], []),
        ] as [([String], [String])]
    )
    func advertised(_ listening: [String], _ expected: [String]) throws {
        let service = try local("web", listening)
        let records = ServiceRecord.records(
            of: [service],
            gossipAddress: try ip("10.0.0.5"),
            ownAddresses: Set(try ["127.0.0.1", "::1", "10.0.0.5", "10.0.0.6", "fd00::5", "fe80::1"].map(ip)),
            unhealthy: [try key("web")]
        )
        #expect(records.map(\.addresses) == [try expected.map(ip)])
        #expect(records.map(\.isHealthy) == [false])
    }

    @Test("Only what is exposed is told, and two units behind one name and port are one record")
    func exposure() throws {
        let services = [
            try local("web", ["10.0.0.6"], unit: "b.service"), try local("web", ["10.0.0.7"], unit: "a.service"),
            try local("hidden", ["0.0.0.0"], exposed: false), try local("six", ["::"]),
        ]
        let records = ServiceRecord.records(of: services, gossipAddress: try ip("10.0.0.5"), ownAddresses: [])
        #expect(records == [try record("web", addresses: ["10.0.0.6", "10.0.0.7"])])
    }

    private func local(_ service: String, _ addresses: [String], unit: String = "x.service", exposed: Bool = true)
        throws -> LocalService
    {
        LocalService(
            name: try name(service),
            unit: unit,
            tenant: .system,
            uid: .root,
            port: 80,
            addresses: try addresses.map(ip),
            isExposed: exposed,
            labels: [:],
            protocolHint: nil
        )
    }
}

import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Virtual addresses")
struct VirtualAddressesTests {
    private func names(_ count: Int, prefix: String = "service") throws -> [ServiceName] {
        try (0..<count).map { try #require(ServiceName("\(prefix)-\($0)")) }
    }

    @Test("A name has the same addresses on every host and in every release")
    func golden() throws {
        let api = try #require(ServiceName("api"))
        let database = try #require(ServiceName("postgresql"))
        let table = VirtualAddresses().allocating([database, api])
        #expect(
            table.text == """
                weft virtual addresses 1
                api 240.206.92.253 fd77:6566:7400:f545:60ea:91d7:4733:a83c
                postgresql 240.43.33.209 fd77:6566:7400:6c49:11cb:909d:4740:4281

                """
        )
    }

    @Test("10 000 names have different addresses, all within the ranges and none of them reserved")
    func ranges() throws {
        let table = VirtualAddresses().allocating(try names(10_000))
        #expect(table.addresses.count == 10_000)
        #expect(Set(table.addresses.values.map(\.v4)).count == 10_000)
        #expect(Set(table.addresses.values.map(\.v6)).count == 10_000)
        let own = try #require(IPAddress("fd77:6566:7400::1"))
        for address in table.addresses.values {
            #expect(VirtualAddresses.rangeV4.contains(address.v4) && VirtualAddresses.contains(address.v4))
            #expect(VirtualAddresses.rangeV6.contains(address.v6) && VirtualAddresses.contains(address.v6))
            #expect(VirtualAddresses.isAllocatable(address.v4) && VirtualAddresses.isAllocatable(address.v6))
            #expect(address.v6 != own)
        }
    }

    @Test("What is allocated stays, whatever comes later and in whatever order")
    func persistence() throws {
        let early = try names(3000)
        let late = try names(3000, prefix: "late")
        let first = VirtualAddresses().allocating(early)
        let second = first.allocating(late)
        #expect(early.allSatisfy { second[$0] == first[$0] })
        #expect(second.addresses.count == 6000)
        #expect(second.allocating(early + late) == second)
        #expect(first.allocating(late.reversed()) == second)
    }

    @Test("A name whose address is taken gets the next free one, and keeps it when the other leaves")
    func probing() throws {
        let name = try #require(ServiceName("api"))
        let other = try #require(ServiceName("other"))
        let preferred = try #require(VirtualAddresses().allocating([name])[name])
        var table = VirtualAddresses()
        let isTaken = table.take(preferred, for: other)
        #expect(isTaken)
        let moved = try #require(table.allocating([name])[name])
        #expect(moved.v4 != preferred.v4 && moved.v6 != preferred.v6)
        #expect(VirtualAddresses.isAllocatable(moved.v4) && VirtualAddresses.isAllocatable(moved.v6))
        let reread = try VirtualAddresses(text: "weft virtual addresses 1\napi \(moved.v4) \(moved.v6)\n")
        #expect(reread.allocating([name])[name] == moved)
    }

    @Test("A full table lets go of names that are not in use, and of no others")
    func fullTable() throws {
        let full = VirtualAddresses().allocating(try names(VirtualAddresses.namesMax))
        #expect(full.addresses.count == VirtualAddresses.namesMax)
        let newcomer = try #require(ServiceName("zz-new"))
        let used = try #require(ServiceName("service-7"))
        let next = full.allocating([newcomer, used])
        #expect(next.addresses.count == VirtualAddresses.namesMax)
        #expect(next[newcomer] != nil)
        #expect(next[used] == full[used])
        let overfull = full.allocating(Array(full.addresses.keys) + [newcomer])
        #expect(overfull == full)
    }

    @Test("The text form reads back to the same table")
    func roundTrip() throws {
        let table = VirtualAddresses().allocating(try names(1000))
        #expect(try VirtualAddresses(text: table.text) == table)
        #expect(try VirtualAddresses(text: VirtualAddresses().text) == VirtualAddresses())
    }

    private static let good = "api 240.1.2.3 fd77:6566:7400:1::1"

    @Test(
        "A text that was damaged is refused at its line",
        arguments: [
            ("", 1, .title), ("weft virtual addresses 2\n", 1, .title), ("weft virtual addresses 1", 1, .unfinished),
            ("weft virtual addresses 1\n" + good, 2, .unfinished),
            ("weft virtual addresses 1\n\n", 2, .malformed),
            ("weft virtual addresses 1\n" + good + "\napi 240.1.2.4 fd77:6566:7400:1::2\n", 3, .duplicate),
            ("weft virtual addresses 1\n" + good + "\nb 240.1.2.3 fd77:6566:7400:1::2\n", 3, .duplicate),
            ("weft virtual addresses 1\n" + good + "\nb 240.1.2.4 fd77:6566:7400:1::1\n", 3, .duplicate),
            ("weft virtual addresses 1\napi 10.0.0.1 fd77:6566:7400:1::1\n", 2, .malformed),
            ("weft virtual addresses 1\napi 240.1.2.0 fd77:6566:7400:1::1\n", 2, .malformed),
            ("weft virtual addresses 1\napi 240.1.2.3 fd77:6566:7400::1\n", 2, .malformed),
            ("weft virtual addresses 1\napi 240.1.2.3 fd77:6566:7401:1::1\n", 2, .malformed),
            ("weft virtual addresses 1\nAPI 240.1.2.3 fd77:6566:7400:1::1\n", 2, .malformed),
            ("weft virtual addresses 1\napi  240.1.2.3 fd77:6566:7400:1::1\n", 2, .malformed),
            ("weft virtual addresses 1\n" + String(repeating: "a", count: 300) + "\n", 2, .malformed),
        ] as [(String, Int, VirtualAddressesError.Reason)]
    )
    func damage(_ text: String, _ line: Int, _ reason: VirtualAddressesError.Reason) {
        #expect(throws: VirtualAddressesError(line: line, reason: reason)) { try VirtualAddresses(text: text) }
    }

    @Test("A text beyond its bounds is refused without being read")
    func bounds() {
        let huge = String(repeating: "x", count: VirtualAddresses.textBytesMax + 1)
        #expect(throws: VirtualAddressesError.self) { try VirtualAddresses(text: huge) }
        let many = "weft virtual addresses 1\n" + String(repeating: "\n", count: VirtualAddresses.namesMax + 1)
        #expect(throws: VirtualAddressesError(line: VirtualAddresses.namesMax + 2, reason: .tooMany)) {
            try VirtualAddresses(text: many)
        }
    }
}

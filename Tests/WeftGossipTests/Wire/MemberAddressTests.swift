import Testing
import WeftCore

@testable import WeftGossip

@Suite struct MemberAddressTests {
    @Test(arguments: [
        ("0a010203", "10.1.2.3:7946"), ("00000000000000000000ffff0a010203", "10.1.2.3:7946"),
        ("fd000000000000000000000000000001", "[fd00::1]:7946"),
    ])
    func keepsTheBytesAndDialsTheAddress(hex: String, text: String) throws {
        let address = try #require(MemberAddress(bytes: [UInt8](hex: hex), port: 7946))
        #expect(address.bytes.hex == hex)
        #expect(address.networkAddress == NetworkAddress(text))
        #expect(address.withPort(1).bytes.hex == hex)
        #expect(address.withPort(1).networkAddress.port == 1)
    }

    @Test func theTwoFormsOfOneAddressDiffer() throws {
        let short = try #require(MemberAddress(bytes: [10, 1, 2, 3], port: 1))
        let long = try #require(MemberAddress(bytes: [UInt8](hex: "00000000000000000000ffff0a010203"), port: 1))
        #expect(short != long)
        #expect(short.networkAddress == long.networkAddress)
        #expect(MemberAddress(long.networkAddress) == short)
    }

    @Test(arguments: [0, 3, 5, 15, 17])
    func otherLengthsAreRefused(count: Int) {
        #expect(MemberAddress(bytes: [UInt8](repeating: 1, count: count), port: 1) == nil)
    }

    @Test func itStaysSmall() {
        #expect(MemoryLayout<MemberAddress>.stride <= 24)
    }
}

@Suite struct TagsTests {
    @Test func staySortedAndUnique() {
        var tags: Tags = ["b": "1", "a": "2", "b": "3"]
        #expect(tags.sorted.map(\.name) == ["a", "b"])
        #expect(tags["b"] == "3")
        tags["a"] = nil
        tags["c"] = nil
        tags["B"] = ""
        #expect(tags.sorted == [Tags.Tag(name: "B", value: ""), Tags.Tag(name: "b", value: "3")])
    }
}

import Testing
import WeftCore

struct PeerAddressTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1", UInt16?.none), ("10.0.0.1:7000", "10.0.0.1:7000", 7000), ("fd00::1", "fd00::1", nil),
        ("[fd00::1]", "fd00::1", nil), ("[fd00::1]:7946", "[fd00::1]:7946", 7946), ("db-1", "db-1", nil),
        ("db_1.Example.com:80", "db_1.Example.com:80", 80), ("4.a", "4.a", nil),
    ])
    func `addresses and names are read with and without a port`(text: String, shown: String, port: UInt16?) throws {
        let address = try #require(PeerAddress(text))
        #expect(address.description == shown)
        #expect(address.port == port)
        #expect(PeerAddress(address.description) == address)
    }

    @Test(arguments: [
        "", ":", ":80", "a:", "a:0", "a:65536", "a:b", "a:1:2", "10.0.0", "10.0.0.256", "10.0.0.1:", "10.0.0.1:0",
        "[10.0.0.1]",
        "[fd00::1", "[fd00::1]:", "[fd00::1]:x", "-a", "a-", "a..b", "a.", "a b", "a/b", "\u{e4}",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "a1234567",
    ])
    func `anything else is refused`(text: String) {
        #expect(PeerAddress(text) == nil)
    }
}

import Testing
import WeftCore

@Suite struct AddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.0.0.12", "255.255.255.255", "::", "::1", "fd77:6566:7400::1", "2001:db8::a:b", "fe80::1",
    ])
    func textSurvivesARoundTrip(text: String) throws {
        #expect(try #require(IPAddress(text)).description == text)
    }

    @Test(arguments: [
        "", "10.0.0", "10.0.0.256", "fe80::1%eth0", "::g", "[::1]", "10.0.0.1 ", String(repeating: "1", count: 99),
    ])
    func nonsenseIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func mappedAddressIsTheIPv4Address() {
        #expect(IPAddress("::ffff:10.0.0.1") == IPAddress("10.0.0.1"))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"), ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"), ("fd00::/8", "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::/96", "2001:db8::", "2001:db8::ffff:ffff"),
    ])
    func prefixSpansItsRange(text: String, first: String, last: String) throws {
        let prefix = try #require(IPPrefix(text))
        #expect(prefix.first == IPAddress(first))
        #expect(prefix.last == IPAddress(last))
        #expect(prefix.contains(prefix.first) && prefix.contains(prefix.last))
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fd00::/129", "x/8", "10.0.0.0/8/8", "10.0.0.0/+8"])
    func badPrefixIsRefused(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test(arguments: ["10.0.0.1:80", "[::1]:443", "0.0.0.0:0", "[fd00::1]:65535"])
    func networkAddressSurvivesARoundTrip(text: String) throws {
        #expect(try #require(NetworkAddress(text)).description == text)
    }

    @Test(arguments: ["10.0.0.1", "::1:80", "[10.0.0.1]:80", "10.0.0.1:65536", "10.0.0.1:", ":80"])
    func badNetworkAddressIsRefused(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func instantsSubtractWithoutWrapping() {
        let early = Instant(nanoseconds: 5)
        let late = Instant(nanoseconds: 1_000_000_005)
        #expect(late - early == .seconds(1))
        #expect(early - late == .zero)
        #expect(early + .seconds(1) == late)
        #expect(early + .seconds(-1) == Instant(nanoseconds: 0))
    }

    @Test(arguments: ["a", "api", "web-1", "a.b_c", String(repeating: "x", count: 63)])
    func goodServiceNames(text: String) {
        #expect(ServiceName(text)?.text == text)
    }

    @Test(arguments: ["", "-a", "API", "a b", "a/b", "é", String(repeating: "x", count: 64)])
    func badServiceNames(text: String) {
        #expect(ServiceName(text) == nil)
    }
}

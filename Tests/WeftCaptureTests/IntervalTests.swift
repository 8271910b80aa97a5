import Testing
import WeftCapture
import WeftCore

struct IntervalTests {
    struct Case: Sendable {
        let prefixes: [String]
        let merged: [String]
    }

    static let cases = [
        Case(prefixes: [], merged: []),
        Case(prefixes: ["10.0.0.0/8"], merged: ["10.0.0.0/8"]),
        Case(prefixes: ["10.0.0.0/24", "10.0.0.0/16"], merged: ["10.0.0.0/16"]),
        Case(prefixes: ["10.0.1.0/24", "10.0.0.0/24"], merged: ["10.0.0.0/23"]),
        Case(prefixes: ["10.0.1.0/24", "10.0.2.0/24"], merged: ["10.0.1.0-10.0.2.255"]),
        Case(prefixes: ["10.0.0.1", "10.0.0.3", "10.0.0.3"], merged: ["10.0.0.1", "10.0.0.3"]),
        Case(prefixes: ["0.0.0.0/0", "255.255.255.255"], merged: ["0.0.0.0/0"]),
        Case(prefixes: ["128.0.0.0/1", "255.255.255.255", "0.0.0.0/1"], merged: ["0.0.0.0/0"]),
        Case(prefixes: ["255.255.255.255", "::"], merged: ["255.255.255.255", "::"]),
        Case(prefixes: ["fd00::/8", "fc00::/8", "fe80::/10"], merged: ["fc00::/7", "fe80::/10"]),
        Case(prefixes: ["::/0", "ffff::/16"], merged: ["::/0"]),
        Case(prefixes: ["2001:db8::", "2001:db8::1", "2001:db8::2"], merged: ["2001:db8::-2001:db8::2"]),
    ]

    @Test(arguments: cases)
    func overlappingAndAdjacentBlocksAreJoined(example: Case) {
        let prefixes = example.prefixes.compactMap(IPPrefix.init)
        #expect(merged(prefixes).map(\.description) == example.merged)
        #expect(merged(prefixes.reversed()).map(\.description) == example.merged)
    }

    @Test(
        arguments: [
            ([], []), ([(1, 1)], [(1, 1)]), ([(3, 5), (1, 2)], [(1, 5)]), ([(1, 10), (2, 3)], [(1, 10)]),
            ([(1, 2), (4, 5)], [(1, 2), (4, 5)]), ([(0, 65535), (65535, 65535)], [(0, 65535)]),
            ([(65535, 65535), (65534, 65534)], [(65534, 65535)]),
        ] as [([(UInt16, UInt16)], [(UInt16, UInt16)])]
    )
    func portRangesAreJoined(ranges: [(UInt16, UInt16)], expected: [(UInt16, UInt16)]) {
        let result = merged(ranges.compactMap { PortRange(first: $0.0, last: $0.1) })
        #expect(result == expected.compactMap { PortRange(first: $0.0, last: $0.1) })
    }

    /// Any set of ranges keeps its members, and comes out sorted with gaps between.
    @Test func mergingKeepsMembersAndLeavesGaps() {
        var state: UInt64 = 42
        func next(_ bound: UInt16) -> UInt16 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt16(truncatingIfNeeded: state >> 33) % bound
        }
        for _ in 0..<200 {
            let ranges = (0..<next(12)).compactMap { _ -> PortRange? in
                let first = next(64)
                return PortRange(first: first, last: first + next(8))
            }
            let result = merged(ranges)
            for port in UInt16(0)..<80 {
                #expect(ranges.contains { $0.contains(port) } == result.contains { $0.contains(port) })
            }
            #expect(zip(result, result.dropFirst()).allSatisfy { $0.last + 1 < $1.first })
        }
    }

    @Test(
        arguments: [
            (SetElement.addresses(AddressRange(IPPrefix.known("10.0.0.0/8"))), [10, 0, 0, 0], [11, 0, 0, 0]),
            (.addresses(AddressRange(IPPrefix.known("255.255.255.255"))), [255, 255, 255, 255], nil),
            (.addresses(AddressRange(IPPrefix.known("0.0.0.0/0"))), [0, 0, 0, 0], nil),
            (
                .addresses(AddressRange(IPPrefix.known("ff00::/8"))), [255] + [UInt8](repeating: 0, count: 15), nil
            ),
            // The end lies where IPv4 is mapped into IPv6, and must stay an IPv6 key.
            (
                .addresses(AddressRange(IPPrefix.known("::fffe:0:0/96"))),
                [UInt8](repeating: 0, count: 10) + [255, 254, 0, 0, 0, 0],
                [UInt8](repeating: 0, count: 10) + [255, 255, 0, 0, 0, 0]
            ),
            (.portRange(PortRange(22)), [0, 22], [0, 23]),
            (.portRange(PortRange(65535)), [255, 255], nil),
            (.port(8080), [0x1f, 0x90], nil),
            (.user(UserID(0x0102_0304)), [4, 3, 2, 1], nil),
            (.cgroup(CgroupID(0x0102)), [2, 1, 0, 0, 0, 0, 0, 0], nil),
            (.interface(InterfaceName.known("br0")), Array("br0".utf8) + [UInt8](repeating: 0, count: 13), nil),
            (.endpoint(NetworkAddress(.v4(0x0a00_0001), port: 80)), [10, 0, 0, 1, 0, 80, 0, 0], nil),
        ] as [(SetElement, [UInt8], [UInt8]?)]
    )
    func keysAreWhatTheKernelCompares(element: SetElement, key: [UInt8], after: [UInt8]?) {
        #expect(element.key == key)
        #expect(element.keyAfter == after)
    }
}

extension IPPrefix {
    static func known(_ text: String) -> IPPrefix {
        guard let prefix = IPPrefix(text) else { preconditionFailure("\(text) is no prefix") }
        return prefix
    }
}

extension InterfaceName {
    static func known(_ text: String) -> InterfaceName {
        guard let name = InterfaceName(text) else { preconditionFailure("\(text) is no interface") }
        return name
    }
}

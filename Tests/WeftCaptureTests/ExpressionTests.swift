import Testing
import WeftCapture
import WeftCore

/// The sequences of capture.md section 2.2, statement by statement.
struct ExpressionTests {
    static let tcp: [WeftCapture.Expression] = [
        .meta(.transportProtocol, into: .first), .compare(.first, .equal, [6]),
    ]
    static let v4: [WeftCapture.Expression] = [.meta(.family, into: .first), .compare(.first, .equal, [2])]
    static let v6: [WeftCapture.Expression] = [.meta(.family, into: .first), .compare(.first, .equal, [10])]

    @Test(
        arguments: [
            (
                [.mark(0x5c01)], [.meta(.mark, into: .first), .compare(.first, .equal, [1, 0x5c, 0, 0])],
                "meta mark 0x00005c01"
            ),
            (
                [.opening(false)],
                tcp + [
                    .payload(.transport, offset: 13, length: 1, into: .first), .mask(.first, with: [0x17]),
                    .compare(.first, .notEqual, [2]),
                ],
                "tcp flags != syn / fin,syn,rst,ack"
            ),
            (
                [.destinationIn(.v6, "a"), .tcp, .redirect(port: 15001)],
                v6 + [
                    .payload(.network, offset: 24, length: 16, into: .first),
                    .lookup(.first, set: "a", inverted: false),
                ] + tcp + [.immediate([0x3a, 0x99], into: .first), .redirect(port: .first)],
                "ip6 daddr @a meta l4proto tcp redirect to :15001"
            ),
            (
                [.endpointIn(.v4, "mesh")],
                v4 + tcp + [
                    .payload(.network, offset: 16, length: 4, into: .word(0)),
                    .payload(.transport, offset: 2, length: 2, into: .word(1)),
                    .lookup(.word(0), set: "mesh", inverted: false),
                ],
                "ip daddr . tcp dport @mesh"
            ),
            (
                [.destinationNot(IPPrefix.known("127.0.0.0/8"))],
                v4 + [
                    .payload(.network, offset: 16, length: 4, into: .first), .mask(.first, with: [255, 0, 0, 0]),
                    .compare(.first, .notEqual, [127, 0, 0, 0]),
                ],
                "ip daddr != 127.0.0.0/8"
            ),
            (
                [.source(IPPrefix.known("fe80::/10"))],
                v6 + [
                    .payload(.network, offset: 8, length: 16, into: .first),
                    .mask(.first, with: [255, 0xc0] + [UInt8](repeating: 0, count: 14)),
                    .compare(.first, .equal, [0xfe, 0x80] + [UInt8](repeating: 0, count: 14)),
                ],
                "ip6 saddr fe80::/10"
            ),
            // Two matches of the same protocol ask for it once.
            (
                [.portIn("p"), .opening(true)],
                tcp + [
                    .payload(.transport, offset: 2, length: 2, into: .first),
                    .lookup(.first, set: "p", inverted: false),
                    .payload(.transport, offset: 13, length: 1, into: .first), .mask(.first, with: [0x17]),
                    .compare(.first, .equal, [2]),
                ],
                "tcp dport @p tcp flags syn / fin,syn,rst,ack"
            ),
            (
                [.cgroupIn("c", level: 3), .verdict(.return)],
                [
                    .socket(.cgroup(level: 3), into: .first), .lookup(.first, set: "c", inverted: false),
                    .verdict(.return),
                ],
                "socket cgroupv2 level 3 @c return"
            ),
            (
                [.invalidState, .counter],
                [
                    .conntrack(.state, into: .first), .mask(.first, with: [1, 0, 0, 0]),
                    .compare(.first, .notEqual, [0, 0, 0, 0]), .counter,
                ],
                "ct state invalid counter"
            ),
            (
                [.family(.v4), .tcp, .transparentProxy(NetworkAddress(.loopbackV4, port: 1))],
                v4 + tcp + [
                    .immediate([127, 0, 0, 1], into: .first), .immediate([0, 1], into: .second),
                    .transparentProxy(.v4, address: .first, port: .second),
                ],
                "meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:1"
            ),
        ] as [([Statement], [WeftCapture.Expression], String)]
    )
    func statementsBecomeTheirExpressions(
        statements: [Statement],
        expressions: [WeftCapture.Expression],
        text: String
    ) {
        let rule = Rule(statements)
        #expect(rule.expressions == expressions)
        #expect(rule.text == text)
    }
}

import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// What `weft check` learns of other people's rules, and whether it is true of real connections.
@Suite(.serialized)
struct NetfilterFirewallSurveyTests {
    let world: TestWorld

    init() throws { world = try TestWorld() }

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        /// Commands of nft, one a line.
        let rules: String
        let codes: [String]
        /// Whether an outbound connection is carried all the same.
        let works: Bool

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "nothing", rules: "", codes: [], works: true),
        Case(
            name: "output closed but for a port",
            rules: """
                add chain inet f o { type filter hook output priority 0; policy drop; }
                add rule inet f o tcp dport 80 accept
                add rule inet f o ct state established accept
                """,
            codes: ["firewall-output-closed"],
            works: false
        ),
        Case(
            name: "output closed but for lo",
            rules: """
                add chain inet f o { type filter hook output priority 0; policy drop; }
                add rule inet f o oif lo accept
                add rule inet f o tcp dport 80 accept
                add rule inet f o ct state established accept
                """,
            codes: ["firewall-output-closed"],
            works: false
        ),
        Case(
            name: "output closed but for translated connections",
            rules: """
                add chain inet f o { type filter hook output priority 0; policy drop; }
                add rule inet f o ct status dnat accept
                """,
            codes: [],
            works: true
        ),
        Case(
            name: "output closed at its end, open in a chain it jumps to",
            rules: """
                add chain inet f allowed
                add rule inet f allowed ip daddr 127.0.0.0/8 accept
                add chain inet f o { type filter hook output priority 0; }
                add rule inet f o jump allowed
                add rule inet f o ct state established accept
                add rule inet f o counter drop
                """,
            codes: [],
            works: true
        ),
        Case(
            name: "input closed to lo",
            rules: """
                add chain inet f i { type filter hook input priority 0; policy drop; }
                add rule inet f i ct state established accept
                add rule inet f i tcp dport 22 accept
                """,
            codes: ["firewall-input-closed"],
            works: false
        ),
        Case(
            name: "input open to lo by name",
            rules: """
                add chain inet f i { type filter hook input priority 0; policy drop; }
                add rule inet f i iifname lo accept
                add rule inet f i ct state established accept
                """,
            codes: [],
            works: true
        ),
        Case(
            name: "loopback untracked",
            rules: """
                add chain inet f r { type filter hook output priority -300; }
                add rule inet f r oif lo notrack
                """,
            codes: ["firewall-notrack"],
            works: false
        ),
        Case(
            name: "one port untracked",
            rules: """
                add chain inet f r { type filter hook output priority -300; }
                add rule inet f r udp dport 53 notrack
                """,
            codes: [],
            works: true
        ),
        Case(
            name: "earlier nat",
            rules: """
                add chain inet f n { type nat hook output priority -110; }
                add rule inet f n tcp dport 80 redirect to :9
                """,
            codes: ["firewall-nat-first"],
            works: false
        ),
        Case(
            name: "nat of another family and forwarding rules",
            rules: """
                add chain inet f n { type nat hook output priority -100; }
                add rule inet f n tcp dport 80 redirect to :9
                add chain inet f w { type filter hook forward priority 0; policy drop; }
                """,
            codes: [],
            works: true
        ),
        Case(
            name: "managers",
            rules: """
                add table inet firewalld
                add chain inet firewalld x
                add chain inet f ufw-before-input
                add chain inet f DOCKER
                """,
            codes: ["firewall-manager", "firewall-manager", "firewall-manager"],
            works: true
        ),
    ]

    @Test(arguments: cases)
    func findingsTellWhatHappens(of example: Case) throws {
        try world.capture()
        try world.host.shell("nft -f - <<'END'\nadd table inet f\n\(example.rules)\nEND\n")
        let findings = try world.host.run { try FirewallSurvey.run() }
        #expect(findings.map(\.code) == example.codes)
        #expect(findings.allSatisfy { ($0.severity == .warning) == ($0.remedy != nil) })
        let isCarried = (try? world.dial("192.0.2.10:80", in: world.host, reaches: world.outboundV4)) ?? false
        #expect(isCarried == example.works)
    }

    @Test func remediesWork() throws {
        try world.capture()
        try world.host.shell(
            """
            nft -f - <<'END'
            add table inet f
            add chain inet f o { type filter hook output priority 0; policy drop; }
            add rule inet f o ct state established accept
            add chain inet f i { type filter hook input priority 0; policy drop; }
            add rule inet f i ct state established accept
            add chain inet f r { type filter hook output priority -300; }
            add rule inet f r oif lo notrack
            END
            """
        )
        let findings = try world.host.run { try FirewallSurvey.run() }
        #expect(findings.count == 3)
        for finding in findings {
            let command = try #require(finding.remedy?.split(separator: "`").dropFirst().first)
            try world.host.shell(String(command))
        }
        #expect(try world.host.run { try FirewallSurvey.run() } == [])
        #expect(try world.dial("192.0.2.10:80", in: world.host, reaches: world.outboundV4))
    }

    @Test func bridgeUnderNetfilterIsNamedAndSkipped() throws {
        try world.host.shell("ip link add br0 type bridge && ip link add br1 type bridge nf_call_iptables 1")
        let byDefault = try world.host.shell("cat /proc/sys/net/bridge/bridge-nf-call-iptables").hasPrefix("1")
        try world.host.shell("for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 0 > $f; done")
        #expect(
            try world.host.run { try BridgeSurvey.bridgesUnderNetfilter() }.map(\.text) == ["br1"],
            "was \(byDefault)"
        )
        try world.host.shell("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables")
        #expect(try world.host.run { try BridgeSurvey.bridgesUnderNetfilter() }.map(\.text) == ["br0", "br1"])
        #expect(
            try world.host.run { try FirewallSurvey.run() }.map(\.code) == ["bridge-netfilter", "bridge-netfilter"]
        )
    }

    @Test func iptablesRulesAreUnderstoodAsFarAsTheyAreShared() throws {
        // What iptables-nft makes of `-P OUTPUT DROP; -A OUTPUT -o lo -j ACCEPT`: a chain of family ip.
        try world.host.shell(
            """
            nft -f - <<'END'
            add table ip filter
            add chain ip filter OUTPUT { type filter hook output priority 0; policy drop; }
            add rule ip filter OUTPUT oifname "lo" counter accept
            END
            """
        )
        let findings = try world.host.run { try FirewallSurvey.run() }
        #expect(findings.map(\.code) == ["firewall-output-closed"])
        #expect(findings.first?.remedy?.contains("nft insert rule ip filter OUTPUT ct status dnat accept") == true)
    }
}

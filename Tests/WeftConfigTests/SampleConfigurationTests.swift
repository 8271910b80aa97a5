import Testing
import WeftConfig
import WeftCore

/// A setting with a range, as `config/weft.toml` states it.
struct Ranged: Sendable {
    let key: String
    let low: String
    let high: String
    let tooLow: String?
    let tooHigh: String
    var table = "proxy"
    /// What stands beside it, so that the ends of its range contradict nothing.
    var companion = ""

    /// A file with the setting on line 2.
    func file(with value: String) -> String { "[\(table)]\n\(key) = \(value)\n\(companion)" }
}

struct SampleConfigurationTests {
    let sample: SampleFile

    init() throws { sample = try SampleFile() }

    @Test func `the shipped file changes nothing`() throws {
        #expect(try ConfigurationLoader.load(sample.text) == Configuration())
    }

    @Test func `the shipped file with every setting in effect changes nothing`() throws {
        #expect(try ConfigurationLoader.load(sample.withDefaults) == Configuration())
    }

    @Test func `the shipped file names every setting that there is`() {
        let named = Set(
            sample.lines.filter { $0.isDefault || $0.isExample }.map { line in
                String(line.drop { $0 == "#" || $0 == " " }.prefix { $0.isLowercase || $0 == "-" })
            }
        )
        // What the loader knows is what it lists when it meets a key that resembles nothing.
        for table in [
            "node", "capture", "capture.exclude", "gossip", "security", "identity", "proxy", "log", "metrics",
            "tracing", "tenant.a", "service.a",
        ] {
            let remedy = diagnostics(of: "[\(table)]\n_______________ = 1").first?.remedy ?? ""
            let known = remedy.split(separator: "knows: ").last?.split(separator: ", ").map(String.init) ?? []
            #expect(!known.isEmpty, "\(remedy)")
            for key in known where !key.hasPrefix("[") { #expect(named.contains(key), "[\(table)] \(key)") }
        }
    }

    @Test func `the examples of the shipped file are right`() throws {
        let configuration = try ConfigurationLoader.load(sample.withExamples)
        #expect(configuration.node.name == "db-1")
        #expect(configuration.capture.failure == .closed)
        #expect(configuration.capture.failClosedUsers == [.name("billing"), .id(UserID(1001))])
        #expect(configuration.capture.exclude.ports.map(\.description) == ["3306", "8000-8010"])
        #expect(
            configuration.capture.exclude.addresses.map(\.description) == ["192.0.2.7", "10.20.0.0/16", "fd00:20::/32"]
        )
        #expect(configuration.capture.exclude.units == ["backup.service", "wg-quick@wg0.service"])
        #expect(configuration.capture.exclude.users == [.name("backup"), .id(UserID(1002))])
        #expect(configuration.gossip.advertise == IPAddress("10.0.0.12"))
        #expect(
            configuration.gossip.join.map(\.description) == ["10.0.0.11", "db-1.example.com", "[fd00::11]:7946"]
        )
        #expect(configuration.gossip.keyFile == "/etc/weft/gossip.key")
        #expect(configuration.tracing.otlp == PeerAddress("127.0.0.1:4318"))
        let name = try #require(ServiceName("api"))
        let api = try #require(configuration.services[name])
        #expect(api.rename == ServiceName("orders"))
        #expect(api.allow?.map(\.description) == ["web", "shop/billing"])
        #expect(try configuration.tenants == [#require(TenantName("shop")): .isolated])
        #expect(api.labels == ["version": "2", "weight": "10"])
        #expect(api.protocol == .http)
        #expect(api.expose == true)
        let policy = api.policy
        #expect(policy.timeout == .seconds(15) && policy.tryTimeout == .seconds(2))
        #expect(policy.rate == Rate(1000, per: .seconds(1)))
        #expect(policy.callerRate == Rate(100, per: .seconds(1), burst: 200))
        #expect(try policy.tenantWeights == [#require(TenantName("shop")): 3])
        #expect(policy.affinity == .field("x-user") && policy.prefersNear)
        // The rest are the numbers that apply without them, as the comment says.
        var rest = policy
        (rest.timeout, rest.tryTimeout, rest.rate, rest.callerRate, rest.tenantWeights) = (nil, nil, nil, nil, [:])
        (rest.affinity, rest.prefersNear) = (nil, false)
        #expect(rest == ServicePolicy())
    }

    @Test(arguments: [
        Ranged(key: "port", low: "1024", high: "65535", tooLow: "1023", tooHigh: "65536", table: "security"),
        Ranged(
            key: "leaf-lifetime",
            low: "\"10s\"",
            high: "\"90d\"",
            tooLow: "\"9s\"",
            tooHigh: "\"2161h\"",
            table: "identity",
            companion: "intermediate-lifetime = \"365d\""
        ),
        Ranged(
            key: "intermediate-lifetime",
            low: "\"20s\"",
            high: "\"365d\"",
            tooLow: "\"19s\"",
            tooHigh: "\"8761h\"",
            table: "identity",
            companion: "leaf-lifetime = \"10s\""
        ),
        Ranged(key: "loops", low: "1", high: "256", tooLow: "0", tooHigh: "257"),
        Ranged(key: "connect-timeout", low: "\"100ms\"", high: "\"5m\"", tooLow: "\"99ms\"", tooHigh: "\"300001ms\""),
        Ranged(key: "half-close-timeout", low: "\"1s\"", high: "\"24h\"", tooLow: "\"999ms\"", tooHigh: "\"86401s\""),
        Ranged(key: "keepalive-idle", low: "\"1s\"", high: "\"2h\"", tooLow: "\"0s\"", tooHigh: "\"7201s\""),
        Ranged(key: "user-timeout", low: "\"1s\"", high: "\"1h\"", tooLow: "\"999ms\"", tooHigh: "\"3601s\""),
        Ranged(key: "drain-timeout", low: "\"0s\"", high: "\"1m\"", tooLow: nil, tooHigh: "\"61s\""),
        Ranged(key: "connections-max", low: "16", high: "500000", tooLow: "15", tooHigh: "500001"),
        Ranged(key: "decisions-max", low: "256", high: "262144", tooLow: "255", tooHigh: "262145"),
    ])
    func `the shipped file states the range that is accepted`(setting: Ranged) throws {
        let table = try #require(sample.lines.firstIndex { $0 == "[\(setting.table)]" })
        let position = try #require(sample.lines[table...].firstIndex { $0.hasPrefix("#\(setting.key) = ") })
        let comment = sample.lines[..<position].reversed().prefix { $0.hasPrefix("# ") }.reversed().joined(
            separator: " "
        )
        let stated =
            setting.key == "loops" ? "\(setting.low) to \(setting.high)" : "from \(setting.low) to \(setting.high)"
        #expect(comment.contains(stated), "\(comment)")
        for good in [setting.low, setting.high] {
            #expect(diagnostics(of: setting.file(with: good)).isEmpty)
        }
        for bad in [setting.tooLow, setting.tooHigh].compactMap({ $0 }) {
            #expect(diagnostics(of: setting.file(with: bad)).map(\.line) == [2])
        }
    }
}

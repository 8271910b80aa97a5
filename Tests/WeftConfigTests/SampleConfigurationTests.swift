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
        for table in ["node", "capture", "capture.exclude", "gossip", "proxy", "log", "service.a"] {
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
        let name = try #require(ServiceName("api"))
        let api = try #require(configuration.services[name])
        #expect(api.rename == ServiceName("orders"))
        #expect(api.labels == ["version": "2", "weight": "10"])
        #expect(api.protocol == .http)
        #expect(api.expose == true)
    }

    @Test(arguments: [
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
        let position = try #require(sample.lines.firstIndex { $0.hasPrefix("#\(setting.key) = ") })
        let comment = sample.lines[..<position].reversed().prefix { $0.hasPrefix("# ") }.reversed().joined(
            separator: " "
        )
        let stated =
            setting.key == "loops" ? "\(setting.low) to \(setting.high)" : "from \(setting.low) to \(setting.high)"
        #expect(comment.contains(stated), "\(comment)")
        for good in [setting.low, setting.high] {
            #expect(diagnostics(of: "[proxy]\n\(setting.key) = \(good)").isEmpty)
        }
        for bad in [setting.tooLow, setting.tooHigh].compactMap({ $0 }) {
            #expect(diagnostics(of: "[proxy]\n\(setting.key) = \(bad)").map(\.line) == [2])
        }
    }
}

import Testing
import WeftConfig
import WeftCore

struct GoodConfigurationTests {
    @Test(arguments: ["", "\n", "# nothing\n", "\u{feff}[log]\n", "[capture]\r\nenabled = true\r\n", "service = {}"])
    func `a file that sets nothing new is the default`(text: String) throws {
        #expect(try ConfigurationLoader.load(text) == Configuration())
    }

    @Test func `every setting reaches its place`() throws {
        var expected = Configuration()
        expected.node.name = "db-1"
        expected.capture.enabled = false
        expected.capture.scope = .mesh
        expected.capture.failure = .closed
        expected.capture.failClosedUsers = [.name("billing"), .id(UserID(1001))]
        expected.capture.inbound = false
        expected.capture.local = true
        expected.capture.preserveClientAddress = false
        expected.capture.exclude.ports = try [
            PortRange(3306), #require(PortRange(first: 8000, last: 8010)), PortRange(22), PortRange(9),
        ]
        expected.capture.exclude.addresses = try [
            #require(IPPrefix("192.0.2.7")), #require(IPPrefix("10.0.0.0/8")), #require(IPPrefix("fd00::/8")),
            #require(IPPrefix("::/0")),
        ]
        expected.capture.exclude.units = ["backup.service", "wg-quick@wg0.service", "run-r1.scope"]
        expected.capture.exclude.users = [.name("user@example.com"), .id(.root)]
        expected.gossip.enabled = false
        expected.gossip.port = 17946
        expected.gossip.advertise = IPAddress("fd00::12")
        expected.gossip.join = [PeerAddress(.name("db-1.example.com")), try #require(PeerAddress("10.0.0.11:7000"))]
        expected.gossip.keyFile = "/etc/weft/gossip.key"
        expected.security.strict = true
        expected.security.port = 8443
        expected.identity.leafLifetime = .seconds(30)
        expected.identity.intermediateLifetime = .seconds(172_800)
        expected.tenants = try [#require(TenantName("shop")): .isolated, #require(TenantName("user-1000")): .init()]
        expected.proxy.loops = 3
        expected.proxy.connectTimeout = .milliseconds(250)
        expected.proxy.halfCloseTimeout = .seconds(7200)
        expected.proxy.keepaliveIdle = .seconds(5)
        expected.proxy.userTimeout = .milliseconds(1500)
        expected.proxy.drainTimeout = .zero
        expected.proxy.connectionsMax = 1000
        expected.proxy.decisionsMax = 256
        expected.log.level = .warning
        var api = Configuration.ServiceOverride()
        api.rename = ServiceName("orders")
        api.labels = ["version": "2", "weight": "10", "example.com/tier": "gold"]
        api.protocol = .grpc
        api.expose = false
        api.allow = [
            AllowedCaller(namespace: nil, name: "web"), AllowedCaller(namespace: "shop", name: "billing.v2"),
            AllowedCaller(namespace: "weft", name: "db-1"),
        ]
        api.policy.timeout = .seconds(20)
        api.policy.retry.countMax = 0
        api.policy.pendingMax = 0
        api.policy.callerRate = Rate(5, per: .seconds(60), burst: 3)
        api.policy.tenantWeights = [.user(UserID(1000)): 2]
        api.policy.affinity = .field("x-user")
        api.policy.prefersNear = true
        expected.log.requests = .errors
        expected.metrics.istio = true
        expected.tracing.otlp = PeerAddress("10.0.0.9:4318")
        expected.tracing.sample = 0.25
        expected.services = try [
            #require(ServiceName("api")): api, #require(ServiceName("web.v2")): Configuration.ServiceOverride(),
        ]

        let text = #"""
            node.name = "db-1"
            [capture]
            enabled = false
            scope = "mesh"
            fail = "closed"
            fail-users = ["billing", 1001]
            inbound = false
            local = true
            preserve-client-address = false
            [capture.exclude]
            ports = [3306, "8000-8010", "22", "9-9"]
            addresses = ["192.0.2.7", "10.0.0.0/8", "fd00::/8", "::/0"]
            units = ["backup.service", "wg-quick@wg0.service", "run-r1.scope"]
            users = ["user@example.com", 0]
            [gossip]
            enabled = false
            port = 17946
            advertise = "fd00::12"
            join = ["db-1.example.com", "10.0.0.11:7000"]
            key-file = "/etc/weft/gossip.key"
            [security]
            strict = true
            port = 8443
            [identity]
            leaf-lifetime = "30s"
            intermediate-lifetime = "2d"
            [tenant.shop]
            isolate = true
            [tenant.user-1000]
            [proxy]
            loops = 3
            connect-timeout = "250ms"
            half-close-timeout = "2h"
            keepalive-idle = "5000ms"
            user-timeout = "1500ms"
            drain-timeout = "0s"
            connections-max = 1_000
            decisions-max = 0x100
            [log]
            level = "warning"
            requests = "errors"
            [metrics]
            istio = true
            [tracing]
            otlp = "http://10.0.0.9"
            sample = 0.25
            [service.api]
            name = "orders"
            labels = { version = "2", weight = "10", "example.com/tier" = "gold" }
            protocol = "grpc"
            expose = false
            allow = ["web", "shop/billing.v2", "weft/db-1"]
            timeout = "20s"
            retries = 0
            pending = 0
            rate = "5/m burst 3 per caller"
            weights = { user-1000 = 2 }
            hash = "header X-User"
            near = true
            [service."web.v2"]
            """#
        #expect(try ConfigurationLoader.load(text) == expected)
        #expect(try ConfigurationLoader.load(bytes: Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        ("http://127.0.0.1:4318", "127.0.0.1:4318"), ("http://otel.example.com/", "otel.example.com:4318"),
        ("http://[fd00::9]:80", "[fd00::9]:80"), ("http://[fd00::9]", "[fd00::9]:4318"),
    ])
    func `a collector has an address and a port`(url: String, collector: String) throws {
        let configuration = try ConfigurationLoader.load("[tracing]\notlp = \"\(url)\"\nsample = 1")
        #expect(configuration.tracing.otlp?.description == collector)
        #expect(configuration.tracing.sample == 1)
    }

    @Test func `two services may exchange their names`() throws {
        let configuration = try ConfigurationLoader.load("[service.a]\nname = \"b\"\n[service.b]\nname = \"a\"")
        let (a, b) = try (#require(ServiceName("a")), #require(ServiceName("b")))
        #expect(configuration.services[a]?.rename == b)
        #expect(configuration.services[b]?.rename == a)
    }

    @Test func `a thousand entries fit in a list and a thousand services in a file`() throws {
        let addresses = (0..<1000).map { "\"10.0.\($0 / 250).\($0 % 250)\"" }.joined(separator: ",")
        let services = (0..<1000).map { "[service.s\($0)]\nexpose = true\n" }.joined()
        let configuration = try ConfigurationLoader.load("[capture.exclude]\naddresses = [\(addresses)]\n\(services)")
        #expect(configuration.capture.exclude.addresses.count == 1000)
        #expect(configuration.services.count == 1000)
    }
}

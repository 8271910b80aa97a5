import Testing
import WeftCore

@testable import WeftCatalog

@Suite("Who a cgroup path is")
struct WorkloadPathTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let path: String
        let unit: String?
        let slice: String?
        let tenant: String
        /// Nil where it is the path itself.
        let canonical: String?

        init(_ path: String, _ unit: String?, _ slice: String?, _ tenant: String, canonical: String? = nil) {
            self.path = path
            self.unit = unit
            self.slice = slice
            self.tenant = tenant
            self.canonical = canonical
        }

        var testDescription: String { path }
    }

    private static let manager = "/user.slice/user-1000.slice/user@1000.service"

    static let rows: [Row] = [
        // The system's manager.
        Row("/system.slice/api.service", "api.service", "system.slice", "system"),
        Row(
            "/system.slice/system-postgresql.slice/postgresql@15-main.service",
            "postgresql@15-main.service",
            "system-postgresql.slice",
            "system"
        ),
        Row("/system.slice/run-u42.scope", "run-u42.scope", "system.slice", "system"),
        Row("/system.slice/my\\x2dapp.service", "my\\x2dapp.service", "system.slice", "system"),
        Row("/system.slice/home.mount", "home.mount", "system.slice", "system"),
        Row(
            "/system.slice/cups.socket",
            "cups.service",
            "system.slice",
            "system",
            canonical: "/system.slice/cups.service"
        ),
        // systemd puts `_` before names that the kernel's own files have.
        Row("/system.slice/_cpu.service", "cpu.service", "system.slice", "system"),
        Row("/system.slice/__odd.service", "_odd.service", "system.slice", "system"),
        Row("/system.slice", nil, "system.slice", "system"),

        // What a unit makes below itself is that unit.
        Row(
            "/system.slice/foo.service/payload",
            "foo.service",
            "system.slice",
            "system",
            canonical: "/system.slice/foo.service"
        ),
        Row(
            "/system.slice/system-postgresql.slice/postgresql@15-main.service/sub/deep",
            "postgresql@15-main.service",
            "system-postgresql.slice",
            "system",
            canonical: "/system.slice/system-postgresql.slice/postgresql@15-main.service"
        ),
        Row(
            "/system.slice/docker-0123abcd.scope/init.scope",
            "docker-0123abcd.scope",
            "system.slice",
            "system",
            canonical: "/system.slice/docker-0123abcd.scope"
        ),
        Row(
            "/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
            "systemd-nspawn@web.service",
            "machine.slice",
            "machine",
            canonical: "/machine.slice/systemd-nspawn@web.service"
        ),

        // Other slices: the outermost is the tenant.
        Row("/shop.slice/api.service", "api.service", "shop.slice", "shop"),
        Row("/shop.slice/shop-eu.slice/web.service", "web.service", "shop-eu.slice", "shop"),
        Row("/shop.slice/loose/thing", nil, "shop.slice", "shop", canonical: "/shop.slice"),
        Row("/shop\\x2deu.slice/api.service", "api.service", "shop\\x2deu.slice", "shop-eu"),
        Row(
            "/kubepods.slice/kubepods-pod1.slice/cri-containerd-ab.scope",
            "cri-containerd-ab.scope",
            "kubepods-pod1.slice",
            "kubepods"
        ),

        // Users.
        Row("/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "user-1000.slice", "user-1000"),
        Row(manager, "user@1000.service", "user-1000.slice", "user-1000"),
        Row(manager + "/init.scope", "user@1000.service", "user-1000.slice", "user-1000", canonical: manager),
        Row(manager + "/app.slice/foo.service", "foo.service", "app.slice", "user-1000"),
        Row(
            manager + "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope",
            "vte-spawn-1.scope",
            "app-org.gnome.Terminal.slice",
            "user-1000"
        ),
        Row(
            manager + "/app.slice/foo.service/child",
            "foo.service",
            "app.slice",
            "user-1000",
            canonical: manager + "/app.slice/foo.service"
        ),
        Row(
            manager + "/app.slice/foo.socket",
            "foo.service",
            "app.slice",
            "user-1000",
            canonical: manager + "/app.slice/foo.service"
        ),
        Row(manager + "/loose", "user@1000.service", "user-1000.slice", "user-1000", canonical: manager),
        // Whatever a user calls its units, they are that user's.
        Row(manager + "/system.slice/api.service", "api.service", "system.slice", "user-1000"),
        Row("/user.slice/user-0.slice/session-1.scope", "session-1.scope", "user-0.slice", "user-0"),
        // A manager in another user's slice is not looked into.
        Row(
            "/user.slice/user-1000.slice/user@1001.service/app.slice/x.service",
            "user@1001.service",
            "user-1000.slice",
            "user-1000",
            canonical: "/user.slice/user-1000.slice/user@1001.service"
        ),

        // The host.
        Row("/", nil, nil, "system"),
        Row("", nil, nil, "system", canonical: "/"),
        Row("/init.scope", nil, nil, "system", canonical: "/"),
        Row("/docker/0123456789ab", nil, nil, "system", canonical: "/"),
        Row("/lxc.payload.web/system.slice/nginx.service", nil, nil, "system", canonical: "/"),
        Row("/../system.slice/api.service", nil, nil, "system", canonical: "/"),
        Row("system.slice/api.service", nil, nil, "system", canonical: "/"),
        Row("/.slice/.service", nil, nil, "system", canonical: "/"),
        Row("/system.slice/.service", nil, "system.slice", "system", canonical: "/system.slice"),
    ]

    @Test("Each path gives its unit, slice and tenant", arguments: rows)
    func path(_ row: Row) {
        let workload = Workload(cgroupPath: row.path)
        #expect(workload.unit == row.unit)
        #expect(workload.slice == row.slice)
        #expect(workload.tenant.text == row.tenant)
        #expect(workload.cgroupPath == row.canonical ?? row.path)
    }

    @Test("A slice cannot take the name of another kind of tenant, nor share one with a slice of similar name")
    func tenantsStayApart() {
        let paths = [
            "/system.slice", "/System.slice", "/sys\\x74em.slice", "/user\\x2d1000.slice",
            "/user.slice/user-1000.slice", "/shop.slice", "/Shop.slice", "/sh\u{f6}p.slice", "/-\\x2f.slice",
            "/" + String(repeating: "a", count: 100) + ".slice", "/" + String(repeating: "a", count: 101) + ".slice",
        ]
        let tenants = paths.map { Workload(cgroupPath: $0 + "/x.service").tenant }
        #expect(Set(tenants).count == paths.count, "\(tenants)")
        #expect(tenants.filter { $0 == .system }.count == 1)
        #expect(tenants.filter { $0 == .user(UserID(1000)) }.count == 1)
    }

    @Test("User units and scopes are not the system's, whatever they are called")
    func systemUnits() {
        #expect(Workload(cgroupPath: "/system.slice/api.service").isSystemUnit)
        #expect(Workload(cgroupPath: "/shop.slice/api.service").isSystemUnit)
        #expect(!Workload(cgroupPath: "/user.slice/user-1.slice/session-1.scope").isSystemUnit)
        #expect(!Workload(cgroupPath: Self.manager + "/app.slice/api.service").isSystemUnit)
        #expect(!Workload.host.isSystemUnit)
    }

    @Test("A name with control characters or escape sequences is shown escaped")
    func unprintableNames() {
        let workload = Workload(cgroupPath: "/user.slice/user-7.slice/\u{1b}[31mevil\u{7}\u{e9}.scope")
        #expect(workload.unit == "\\x1b[31mevil\\x07\\xc3\\xa9.scope")
        #expect(workload.cgroupPath.utf8.allSatisfy { (0x21...0x7e).contains($0) })
        #expect(workload.tenant == .user(UserID(7)))
    }

    @Test("A path that is too long is the host's")
    func longPath() {
        let path = "/system.slice/" + String(repeating: "x", count: 5000) + ".service"
        #expect(Workload(cgroupPath: path) == .host)
    }

    @Test("Random pieces in any order never fail and always stay within bounds")
    func randomPaths() {
        var generator = Seeded(state: 7)
        let pieces = [
            "system.slice", "user.slice", "user-1000.slice", "user@1000.service", "a.service", ".slice", ".", "..", "",
            "\\x", "\\x2", "\\x2d", "\\xzz", "_", "__.scope", "x.socket", "\u{0}", "\u{1F600}.service", "init.scope",
            "user-.slice", "user-99999999999.slice", "-.slice", "@.service", "a@b@c.service",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...6, using: &generator)
            let path = (0..<count).map { _ in "/" + (pieces.randomElement(using: &generator) ?? "") }.joined()
            let workload = Workload(cgroupPath: path)
            #expect(workload.cgroupPath.hasPrefix("/"))
            #expect(workload.unit?.isEmpty != true)
            #expect(workload.unit == nil || workload.slice != nil)
        }
    }
}

/// SplitMix64: the same run for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

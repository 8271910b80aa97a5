import Testing
import WeftCatalog
import WeftCore

@testable import WeftDaemon

@Suite("Units among control groups")
struct WorkloadsTests {
    private static func table(_ paths: [String]) -> [CgroupID: Workload] {
        var table: [CgroupID: Workload] = [:]
        for (index, path) in paths.enumerated() {
            table[CgroupID(UInt64(index + 1))] = Workload(cgroupPath: path)
        }
        return table
    }

    @Test("A unit is there once, however many control groups it has, and the host is not")
    func once() {
        let workloads = Workloads(
            Self.table([
                "/", "/init.scope", "/system.slice", "/system.slice/web.service", "/system.slice/web.service/worker-1",
                "/system.slice/web.service/worker-2", "/system.slice/api.service",
                "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service",
                "/user.slice/user-1001.slice/user@1001.service/app.slice/web.service", "/shop.slice/web.service",
            ])
        )
        #expect(
            workloads.units.map { "\($0.name) \($0.workload.tenant) \($0.workload.cgroupPath)" } == [
                "api.service system /system.slice/api.service", "web.service shop /shop.slice/web.service",
                "web.service system /system.slice/web.service",
                "web.service user-1000 /user.slice/user-1000.slice/user@1000.service/app.slice/web.service",
                "web.service user-1001 /user.slice/user-1001.slice/user@1001.service/app.slice/web.service",
            ]
        )
    }

    @Test("Of a unit's control groups the outermost stands for it")
    func outermost() {
        let tenant = TenantName.system
        func workload(_ path: String) -> Workload {
            Workload(unit: "web.service", slice: "system.slice", tenant: tenant, cgroupPath: path)
        }
        let paths = ["/system.slice/web.service/a", "/system.slice/web.service", "/system.slice/web.service/a/b"]
        for turn in 0..<3 {
            var table: [CgroupID: Workload] = [:]
            for (index, path) in paths.enumerated() { table[CgroupID(UInt64((index + turn) % 3))] = workload(path) }
            #expect(Workloads(table).units.map(\.workload.cgroupPath) == ["/system.slice/web.service"])
        }
    }

    @Test("Of two equally deep ones it is always the same")
    func sameEveryTime() {
        // Dictionaries have another order in each: the capacities differ.
        for capacity in 1..<40 {
            var table = [CgroupID: Workload](minimumCapacity: capacity * 8)
            for (id, slice) in ["shop-a", "shop-b", "shop-c"].enumerated() {
                table[CgroupID(UInt64(id * capacity))] = Workload(cgroupPath: "/shop.slice/\(slice).slice/web.service")
            }
            #expect(Workloads(table).units.map(\.workload.slice) == ["shop-a.slice"])
        }
    }

    @Test("No control groups, no units")
    func empty() { #expect(Workloads([:]).units.isEmpty) }
}

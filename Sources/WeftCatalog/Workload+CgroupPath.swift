package import WeftCore

extension Workload {
    /// Reads who a process is from where it sits in the cgroup2 tree: `path` is relative to the mount, such as
    /// `/system.slice/api.service`, and comes from the kernel.
    ///
    /// | path | unit | tenant |
    /// |---|---|---|
    /// | `/system.slice/api.service` | `api.service` | `system` |
    /// | `/system.slice/api.service/payload` | `api.service` (what a unit makes below itself is that unit) | `system` |
    /// | `/system.slice/cups.socket` | `cups.service` | `system` |
    /// | `/shop.slice/shop-eu.slice/web.service` | `web.service` | `shop` |
    /// | `/user.slice/user-1000.slice/session-3.scope` | `session-3.scope` | `user-1000` |
    /// | `/user.slice/user-1000.slice/user@1000.service/app.slice/x.service` | `x.service` | `user-1000` |
    /// | `/`, `/init.scope`, `/docker/0123`, `/../x` | none: the host | `system` |
    ///
    /// The tenant is the outermost slice: `shop-eu.slice` lies inside `shop.slice` by systemd's own naming rule, its
    /// resource limits are part of shop's, and so it is shop's to divide. The unit is the outermost one too, except
    /// below a user's manager, whose own units are looked at: everything else there is under the control of the unit
    /// itself (a container's `system.slice/nginx.service` must not pass for the host's).
    ///
    /// `cgroupPath` is cut to the unit's own directory, so that all cgroups of one unit give equal workloads; for
    /// `NAME.socket` it is where `NAME.service` would be (a socket unit with another `Service=` cannot be told from
    /// here). Paths longer than 4096 bytes are the host's, like everything else that is not understood.
    package init(cgroupPath path: String) {
        self = CgroupPathReader(path)?.workload ?? .host
    }

    /// Whether this is a unit of the system's manager, not of a user's: only these offer services.
    package var isSystemUnit: Bool {
        unit != nil && !cgroupPath.hasPrefix("/user.slice/")
    }
}

/// One pass over a path's components, from the outermost.
private struct CgroupPathReader {
    let workload: Workload

    private static let pathBytesMax = 4096
    private static let unitSuffixes = [".service", ".scope", ".socket", ".mount", ".swap"]

    init?(_ path: String) {
        guard path.utf8.count <= Self.pathBytesMax, path.hasPrefix("/") else { return nil }
        let components = path.split(separator: "/")
        guard !components.contains("..") else { return nil }

        var slices = Self.slices(components[...])
        guard let outermost = slices.first else { return nil }
        var taken = slices.count
        var unit = Self.unit(components.dropFirst(taken))
        if unit != nil { taken += 1 }
        let user = Self.user(slices)
        if let user, unit == "user@\(user).service" {
            let below = components.dropFirst(taken)
            let innerSlices = Self.slices(below)
            if let inner = Self.unit(below.dropFirst(innerSlices.count)), inner != "init.scope" {
                unit = inner
                taken += innerSlices.count + 1
                slices += innerSlices
            }
        }
        var directories = components.prefix(taken).map { SystemdName.printable($0) }
        if let socket = unit, socket.hasSuffix(".socket") {
            let service = socket.dropLast(".socket".count) + ".service"
            unit = String(service)
            directories[taken - 1] = String(service)
        }
        workload = Workload(
            unit: unit,
            slice: slices.last,
            tenant: user.map(TenantName.user) ?? Self.tenant(outermost),
            cgroupPath: "/" + directories.joined(separator: "/")
        )
    }

    /// The slices that the components start with.
    private static func slices(_ components: ArraySlice<Substring>) -> [String] {
        components.prefix { $0.hasSuffix(".slice") && $0 != ".slice" }.map(SystemdName.unit(ofDirectory:))
    }

    /// The unit whose directory comes first.
    private static func unit(_ components: ArraySlice<Substring>) -> String? {
        guard let component = components.first else { return nil }
        let name = SystemdName.unit(ofDirectory: component)
        return unitSuffixes.contains { name.hasSuffix($0) && name.utf8.count > $0.utf8.count } ? name : nil
    }

    /// The login user whose slice this is.
    private static func user(_ slices: [String]) -> UserID? {
        guard slices.count >= 2, slices[0] == "user.slice", slices[1].hasPrefix("user-") else { return nil }
        let digits = slices[1].dropFirst("user-".count).dropLast(".slice".count)
        guard let number = UInt32(digits), String(number) == digits else { return nil }
        return UserID(number)
    }

    /// The tenant that a top-level slice stands for. Different slices never share a tenant: a name that does not fit
    /// a tenant's letters as it is, or that would pass for another kind of tenant, gets a hash of itself at its end.
    private static func tenant(_ slice: String) -> TenantName {
        if slice == "system.slice" { return .system }
        let bytes = SystemdName.decoded(slice.dropLast(".slice".count))
        let folded = SystemdName.folded(bytes)
        let isReserved = folded == TenantName.system.text || folded.hasPrefix("user-")
        if !isReserved, Array(folded.utf8) == bytes, let name = TenantName(folded) { return name }
        let mark = hexadecimal(StableHash(bytes).value, digits: 8)
        let head = folded.isEmpty ? "slice" : String(folded.prefix(50))
        return TenantName("\(head)-\(mark)") ?? .system
    }
}

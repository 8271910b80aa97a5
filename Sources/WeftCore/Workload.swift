/// A local process group that opens or accepts connections: a systemd unit, a user's scope, or the host itself.
///
/// Derived from a cgroup path alone, so that the kernel's word (the cgroup id of a socket) is the only evidence used.
package struct Workload: Hashable, Sendable {
    /// The unit's name as systemd knows it, such as `api.service`; nil for sockets that belong to no unit.
    package let unit: String?
    /// The innermost slice that holds the unit, such as `system.slice`; nil at the root.
    package let slice: String?
    package let tenant: TenantName
    /// The path below the cgroup2 mount, such as `/system.slice/api.service`.
    package let cgroupPath: String

    package init(unit: String?, slice: String?, tenant: TenantName, cgroupPath: String) {
        self.unit = unit
        self.slice = slice
        self.tenant = tenant
        self.cgroupPath = cgroupPath
    }

    /// The host itself: sockets of the kernel, of processes outside any unit, and those whose owner could not be told.
    package static let host = Workload(unit: nil, slice: nil, tenant: .system, cgroupPath: "/")

    /// What people see: the unit's name, or `host`.
    package var displayName: String { unit ?? "host" }
}

/// The kernel's record of who owns a socket (inet_diag: uid, inode, cgroup id).
package struct SocketOwner: Hashable, Sendable {
    package let uid: UserID
    /// Zero once the owner has closed its descriptor.
    package let inode: UInt32
    package let cgroup: CgroupID

    package init(uid: UserID, inode: UInt32, cgroup: CgroupID) {
        self.uid = uid
        self.inode = inode
        self.cgroup = cgroup
    }
}

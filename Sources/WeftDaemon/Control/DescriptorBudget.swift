internal import WeftHost

/// How the process's descriptors (RLIMIT_NOFILE) are shared out.
struct DescriptorBudget: Sendable, Equatable {
    /// Carried connections that there are descriptors for: each has two.
    let connections: Int
    /// Connections to the API.
    let apiConnections: Int

    /// A sixteenth, within bounds, is kept for the API, netlink and files; the rest carries connections.
    init(limit: Int) {
        let reserved = min(max(limit / 16, 64), 4608)
        // Netlink, listeners, event loops, files.
        let internalUse = 48
        apiConnections = max(8, reserved - internalUse)
        connections = max(1, (limit - reserved) / 2)
    }

    /// From this process's limit; without one that can be read, from the traditional 1024.
    static func ofThisProcess() -> DescriptorBudget {
        DescriptorBudget(limit: (try? ProcessStatistics.current().descriptorsMax) ?? 1024)
    }
}

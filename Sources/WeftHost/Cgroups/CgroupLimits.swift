/// What a control group may use: `memory.max` and `cpu.max` (Documentation/admin-guide/cgroup-v2.rst), of the group itself
/// and of all above it. Reads files: not for event loops.
package struct CgroupLimits: Sendable, Equatable {
    /// The smallest on the way up; nil is no limit.
    package var memoryBytes: UInt64?
    /// In cores: quota by period, the smallest on the way up; nil is no limit.
    package var cpuCores: Double?

    /// None.
    package init() {}

    /// - Parameter path: below the mount, such as `/system.slice/weftd.service`.
    package init(of path: String, in mount: CgroupMount) {
        var components = path.split(separator: "/")
        while !components.isEmpty {
            let directory = mount.path + components.map { "/" + $0 }.joined()
            take(directory)
            components.removeLast()
        }
    }

    private mutating func take(_ directory: String) {
        if let bytes = Self.fields("\(directory)/memory.max").first.flatMap({ UInt64($0) }) {
            memoryBytes = min(memoryBytes ?? .max, bytes)
        }
        let cpu = Self.fields("\(directory)/cpu.max")
        if cpu.count == 2, let quota = Double(cpu[0]), let period = Double(cpu[1]), period > 0 {
            cpuCores = min(cpuCores ?? .infinity, quota / period)
        }
    }

    /// Empty where there is no such file: the controller is off, or this is the root.
    private static func fields(_ path: String) -> [Substring] {
        let bytes = (try? BoundedFile.read(path, limit: 4096)) ?? nil
        return String(decoding: bytes ?? [], as: UTF8.self).split { $0 == " " || $0 == "\n" }
    }
}

internal import Glibc
package import WeftCore

/// Where cgroup2 is mounted, and what can be read there without watching it.
package struct CgroupMount: Sendable, Equatable {
    /// Such as `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` on hosts that have both versions.
    package let path: String

    /// Directories of one walk; a tree with more is walked in part.
    static let directoriesMax = 100_000
    private static let mountInfoBytesMax = 4 << 20

    package init(path: String) { self.path = path }

    /// Finds the mount in /proc/self/mountinfo.
    package static func find() throws(HostError) -> CgroupMount {
        let source = "/proc/self/mountinfo"
        guard let bytes = try BoundedFile.read(source, limit: mountInfoBytesMax) else {
            throw HostError("read \(source)", .system(ENOENT), remedy: "mount /proc")
        }
        guard let mount = CgroupMount(mountInfo: String(decoding: bytes, as: UTF8.self)) else {
            throw HostError(
                "look for cgroup2 in \(source)",
                .malformed("no mount of type cgroup2"),
                remedy: "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2"
            )
        }
        return mount
    }

    /// Reads mountinfo: the first mount of type cgroup2 that shows the whole tree. Nil when there is none.
    ///
    /// ```
    /// 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
    /// id parent dev root mount-point options optional... - type source options
    /// ```
    init?(mountInfo: String) {
        for line in mountInfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.endIndex, dash >= 6,
                fields[dash + 1] == "cgroup2", fields[3] == "/"
            else { continue }
            self.init(path: Self.unescaped(fields[4]))
            return
        }
        return nil
    }

    /// The cgroup of this process; nil when it lies outside the cgroup namespace.
    package func own() throws(HostError) -> OwnCgroup? {
        guard let bytes = try BoundedFile.read("/proc/self/cgroup", limit: 64 * 1024) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("0::/") }) else { return nil }
        let components = line.dropFirst("0::".count).split(separator: "/")
        guard !components.contains("..") else { return nil }
        let path = components.map { "/" + $0 }.joined()
        guard let id = try id(of: path) else { return nil }
        return OwnCgroup(id: id, level: components.count, path: path.isEmpty ? "/" : path)
    }

    /// The processes of the cgroup at `path` and of all below it, ascending; at most `limit` of them. For `/` that is
    /// every process. What vanishes while it is read is left out. Reads files: not for event loops.
    package func processes(below path: String, limit: Int = 10_000) -> [Int32] {
        guard !path.split(separator: "/").contains("..") else { return [] }
        var found: Set<Int32> = []
        var pending = [path == "/" ? "" : path]
        var visited = 0
        while let current = pending.popLast(), found.count < limit, visited < Self.directoriesMax {
            visited += 1
            // A cgroup in threaded mode refuses this (EOPNOTSUPP); its processes are listed by its domain.
            let bytes = (try? BoundedFile.read("\(self.path)\(current)/cgroup.procs", limit: 1 << 20)) ?? nil
            for line in (bytes ?? []).split(separator: UInt8(ascii: "\n")) {
                if let process = Int32(String(decoding: line, as: UTF8.self)) { found.insert(process) }
            }
            pending += Self.subdirectories(of: self.path + current).map { "\(current)/\($0.name)" }
        }
        return Array(found.sorted().prefix(limit))
    }

    /// The id of the cgroup at a path below the mount; nil when there is none.
    func id(of path: String) throws(HostError) -> CgroupID? {
        var status = stat()
        guard stat(self.path + path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG { return nil }
            throw HostError.errno("stat \(self.path + path)")
        }
        return CgroupID(UInt64(status.st_ino))
    }

    /// The directories in a directory, with their inode numbers, which are cgroup ids. None when it cannot be read.
    static func subdirectories(of path: String) -> [(name: String, id: CgroupID)] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [(String, CgroupID)] = []
        while let entry = readdir(directory), found.count < directoriesMax {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { found.append((name, CgroupID(UInt64(entry.pointee.d_ino)))) }
        }
        return found
    }

    /// Mount points have space, tab, line break and backslash as `\` and three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Where weftd itself sits.
package struct OwnCgroup: Sendable, Equatable {
    package let id: CgroupID
    /// Directories below the root of the cgroup namespace: 2 for `/system.slice/weftd.service`. What nft's
    /// `socket cgroupv2 level` counts.
    package let level: Int
    package let path: String
}

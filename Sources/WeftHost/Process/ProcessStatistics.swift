internal import Glibc

/// What this process uses of the machine at one moment. Reads a few files of /proc: not for event loops.
package struct ProcessStatistics: Sendable, Equatable {
    package let residentBytes: UInt64
    /// User and system time of all threads since the start.
    package let cpuTime: Duration
    package let openDescriptors: Int
    /// RLIMIT_NOFILE, the soft limit.
    package let descriptorsMax: Int

    package static func current() throws(HostError) -> ProcessStatistics {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw HostError.errno("getrlimit RLIMIT_NOFILE")
        }
        return ProcessStatistics(
            residentBytes: try residentBytes(),
            cpuTime: try cpuTime(),
            openDescriptors: try openDescriptors(),
            descriptorsMax: Int(clamping: limit.rlim_cur)
        )
    }

    private static func residentBytes() throws(HostError) -> UInt64 {
        let path = "/proc/self/statm"
        let bytes = try BoundedFile.read(path, limit: 4096) ?? []
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        // size resident shared ..., in pages
        guard fields.count >= 2, let pages = UInt64(fields[1]) else {
            throw HostError("read \(path)", .malformed("no resident size"), remedy: "mount /proc")
        }
        return pages * UInt64(getpagesize())
    }

    private static func cpuTime() throws(HostError) -> Duration {
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { throw HostError.errno("getrusage") }
        let seconds = Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        let microseconds = Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return .seconds(seconds) + .microseconds(microseconds)
    }

    private static func openDescriptors() throws(HostError) -> Int {
        var status = stat()
        guard stat("/proc/self/fd", &status) == 0 else { throw HostError.errno("stat /proc/self/fd") }
        // Since Linux 6.2 the size is the number, which saves reading 50 000 names.
        if status.st_size > 0 { return Int(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { throw HostError.errno("open /proc/self/fd") }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the directory itself.
        return max(0, count - 3)
    }
}

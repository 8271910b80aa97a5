internal import Glibc
package import WeftCore

extension WallTime {
    /// The calendar clock of this host.
    package static func now() -> WallTime { WallTime(millisecondsSince1970: nanosecondsNow() / 1_000_000) }

    /// The same in nanoseconds since 1970, for what is told in them.
    static func nanosecondsNow() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

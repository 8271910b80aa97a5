internal import Glibc
package import WeftCore

/// Who runs a process.
package enum ProcessOwner {
    /// The owner of the process's directory in /proc; nil when the process has gone.
    package static func uid(of process: Int32) -> UserID? {
        var status = stat()
        guard stat("/proc/\(process)", &status) == 0 else { return nil }
        return UserID(status.st_uid)
    }
}

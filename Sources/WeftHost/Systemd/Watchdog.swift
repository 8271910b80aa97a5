internal import Glibc

/// The watchdog that systemd keeps on this process (WatchdogSec= of the unit).
package enum Watchdog {
    /// How long systemd waits for `Notifier.watchdog()` before it kills the process; notify at half of it. Nil when no
    /// watchdog is set, or when it is meant for another process.
    package static func interval() throws(HostError) -> Duration? {
        try interval(processID: getpid()) { getenv($0).map { String(cString: $0) } }
    }

    /// The same from any environment, for tests.
    static func interval(processID: pid_t, environment: (String) -> String?) throws(HostError) -> Duration? {
        guard let text = environment("WATCHDOG_USEC") else { return nil }
        if let meant = environment("WATCHDOG_PID") {
            guard let meantID = pid_t(meant) else { throw malformed("WATCHDOG_PID", meant) }
            guard meantID == processID else { return nil }
        }
        guard let microseconds = Int64(text), microseconds > 0 else { throw malformed("WATCHDOG_USEC", text) }
        return .microseconds(microseconds)
    }

    private static func malformed(_ variable: String, _ value: String) -> HostError {
        HostError(
            "read \(variable)",
            .malformed("`\(value.prefix(200))` is not what systemd sets"),
            remedy: "unset \(variable), or start weftd by systemd"
        )
    }
}

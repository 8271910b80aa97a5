internal import CWeftLinux

/// The calendar clock of this host.
package enum HostClock {
    /// Whether the kernel says that somebody keeps it right (adjtimex(2)).
    package static var isSynchronised: Bool { weft_clock_is_synchronised() != 0 }
}

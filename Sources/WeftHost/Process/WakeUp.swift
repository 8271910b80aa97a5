internal import CWeftLinux
internal import Glibc

/// Wakes a thread that sleeps in poll(): an eventfd, to be signalled from any thread.
package final class WakeUp: Sendable {
    /// Readable after `signal`.
    package let descriptor: CInt

    package init() throws(HostError) {
        descriptor = weft_open_eventfd()
        guard descriptor >= 0 else { throw HostError.errno("open an eventfd", remedy: "raise LimitNOFILE=") }
    }

    deinit { close(descriptor) }

    /// A full counter cannot take more, and is as good as one that was raised.
    package func signal() { eventfd_write(descriptor, 1) }

    /// Fails when nothing was signalled, which is as good.
    package func clear() {
        var count: eventfd_t = 0
        eventfd_read(descriptor, &count)
    }
}

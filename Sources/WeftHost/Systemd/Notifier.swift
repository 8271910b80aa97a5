internal import CWeftLinux
internal import Glibc

/// Tells systemd how weftd is doing (sd_notify), and gives it descriptors to keep across a restart.
///
/// One datagram for each message, to the socket named in NOTIFY_SOCKET. Sending waits for at most a second when systemd
/// is slow to read: not for event loops. Usable from any thread.
package final class Notifier: Sendable {
    private let descriptor: CInt
    private let address: [UInt8]

    /// The kernel's SCM_MAX_FD.
    package static let descriptorsMax = Int(WEFT_DESCRIPTORS_MAX)
    private static let statusBytesMax = 1024

    /// The service manager that started this process; nil when there is none to notify.
    package static func fromEnvironment() throws(HostError) -> Notifier? {
        guard let value = getenv("NOTIFY_SOCKET") else { return nil }
        return try Notifier(path: String(cString: value))
    }

    /// `path` is absolute, or `@` and the name of an abstract socket.
    package init(path: String) throws(HostError) {
        guard let address = Self.socketAddress(path) else {
            throw HostError(
                "read NOTIFY_SOCKET",
                .malformed("`\(path)` is neither an absolute path nor @NAME of up to 107 bytes"),
                remedy: "start weftd by systemd, or unset the variable"
            )
        }
        self.address = address
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HostError.errno("open a socket for \(path)") }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Start-up, or the reload that `reloading` announced, is complete.
    package func ready(status: String? = nil) throws(HostError) {
        try send(["READY=1"] + Self.statusLines(status))
    }

    /// One line for `systemctl status`; line breaks become spaces, and what goes beyond a kilobyte is cut.
    package func status(_ text: String) throws(HostError) { try send(Self.statusLines(text)) }

    /// The configuration is being read again; `ready` follows.
    package func reloading() throws(HostError) {
        try send(["RELOADING=1", "MONOTONIC_USEC=\(Self.monotonicMicroseconds())"])
    }

    package func stopping(status: String? = nil) throws(HostError) {
        try send(["STOPPING=1"] + Self.statusLines(status))
    }

    /// Still alive; due at least once in `Watchdog.interval()`.
    package func watchdog() throws(HostError) { try send(["WATCHDOG=1"]) }

    /// Gives systemd copies of descriptors to keep until the unit stops for good, all under `name`; a restarted process
    /// finds them by `InheritedDescriptors`. They are kept even when they report errors (a netlink socket does so
    /// after an overrun). The unit needs `FileDescriptorStoreMax=`.
    package func store(_ descriptors: [CInt], name: String) throws(HostError) {
        try check(name: name)
        guard (1...Self.descriptorsMax).contains(descriptors.count) else {
            throw HostError("store \(descriptors.count) descriptors named \(name)", .overLimit(Self.descriptorsMax))
        }
        try send(["FDSTORE=1", "FDNAME=\(name)", "FDPOLL=0"], descriptors: descriptors)
    }

    /// Lets go of all kept descriptors of that name.
    package func removeStored(name: String) throws(HostError) {
        try check(name: name)
        try send(["FDSTOREREMOVE=1", "FDNAME=\(name)"])
    }

    private func send(_ lines: [String], descriptors: [CInt] = []) throws(HostError) {
        let message = Array(lines.joined(separator: "\n").utf8)
        var sent: Int
        repeat {
            sent = weft_send_with_descriptors(
                descriptor,
                address,
                socklen_t(address.count),
                message,
                message.count,
                descriptors,
                descriptors.count
            )
        } while sent < 0 && errno == EINTR
        guard sent == message.count else {
            throw HostError.errno("notify systemd of \(lines[0])", remedy: "is NotifyAccess=main set in the unit?")
        }
    }

    /// systemd's rule for descriptor names: printable ASCII without a colon, 1 to 255 bytes.
    private func check(name: String) throws(HostError) {
        let bytes = name.utf8
        let isValid =
            (1...255).contains(bytes.count)
            && bytes.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
        guard isValid else { throw HostError("store descriptors", .malformed("`\(name)` is no descriptor name")) }
    }

    private static func statusLines(_ text: String?) -> [String] {
        guard let text else { return [] }
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        var bytes = line.utf8.prefix(statusBytesMax)
        // A character cut in half would make systemd refuse the message.
        while String(bytes) == nil { bytes = bytes.dropLast() }
        return ["STATUS=\(Substring(bytes))"]
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    /// A `sockaddr_un` of exactly the length that the kernel wants: an abstract name ends where the address does.
    private static func socketAddress(_ path: String) -> [UInt8]? {
        var name = Array(path.utf8)
        guard (2...107).contains(name.count), !name.contains(0) else { return nil }
        switch name[0] {
        case UInt8(ascii: "/"): name.append(0)
        case UInt8(ascii: "@"): name[0] = 0
        default: return nil
        }
        return withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) } + name
    }
}

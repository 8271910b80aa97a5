internal import Glibc

/// A descriptor that systemd handed to this process at its start.
package struct InheritedDescriptor: Sendable, Equatable {
    /// FDNAME of the store, FileDescriptorName= of a socket unit; `unknown` when systemd gave none.
    package let name: String
    /// Close-on-exec by now; whoever takes it over closes it.
    package let descriptor: CInt

    package init(name: String, descriptor: CInt) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// What systemd hands over through LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES: sockets of a socket unit and descriptors
/// from the store.
package enum InheritedDescriptors {
    /// More than this is not believed.
    package static let countMax = 1024

    private static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

    /// The descriptors meant for this process, in systemd's order; empty when there are none, or when the variables are
    /// another process's. Sets them close-on-exec and removes the variables, so that no child takes them for its own.
    ///
    /// Changes the environment: to be called once, before there are other threads.
    package static func take() throws(HostError) -> [InheritedDescriptor] {
        defer { for variable in variables { unsetenv(variable) } }
        return try read(processID: getpid(), firstDescriptor: 3) { getenv($0).map { String(cString: $0) } }
    }

    /// The same from any environment, for tests.
    static func read(
        processID: pid_t,
        firstDescriptor: CInt,
        environment: (String) -> String?
    ) throws(HostError) -> [InheritedDescriptor] {
        guard let meant = environment("LISTEN_PID"), let countText = environment("LISTEN_FDS") else { return [] }
        guard let meantID = pid_t(meant) else { throw malformed("LISTEN_PID", meant) }
        guard meantID == processID else { return [] }
        guard let count = Int(countText), count >= 0 else { throw malformed("LISTEN_FDS", countText) }
        guard count <= countMax else { throw HostError("read LISTEN_FDS", .overLimit(countMax)) }
        let namesText = environment("LISTEN_FDNAMES")
        let names = namesText.map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
        if let names, let namesText, names.count != count, count > 0 { throw malformed("LISTEN_FDNAMES", namesText) }

        var found: [InheritedDescriptor] = []
        for index in 0..<count {
            let descriptor = firstDescriptor + CInt(index)
            let flags = fcntl(descriptor, F_GETFD)
            guard flags >= 0, fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0 else {
                throw HostError.errno("take over descriptor \(descriptor) of \(count) from systemd")
            }
            found.append(InheritedDescriptor(name: names?[index] ?? "unknown", descriptor: descriptor))
        }
        return found
    }

    private static func malformed(_ variable: String, _ value: String) -> HostError {
        HostError(
            "read \(variable)",
            .malformed("`\(value.prefix(200))` is not what systemd sets"),
            remedy: "unset \(variable), or start weftd by systemd"
        )
    }
}

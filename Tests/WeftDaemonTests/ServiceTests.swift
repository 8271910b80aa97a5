import Glibc
import Logging
import ServiceLifecycle
import Testing
import WeftHost
import WeftTransport

@testable import WeftDaemon

/// The messages to systemd and the service that keeps systemd's watchdog content.
@Suite("Telling systemd", .timeLimit(.minutes(2)))
struct ServiceTests {
    private func withManager(_ body: (DaemonNotifications, NotifySocket) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let manager = try NotifySocket(folder + "/notify")
            let notifications = DaemonNotifications(
                notifier: try Notifier(path: folder + "/notify"),
                logger: RecordedLog().logger
            )
            try await body(notifications, manager)
        }
    }

    @Test("Each event is one message")
    func messages() async throws {
        try await withManager { notifications, manager in
            notifications.ready()
            notifications.stopping()
            notifications.watchdog()
            notifications.store(STDERR_FILENO, name: "weft-test")
            notifications.reloading()
            let messages = try (0..<5).map { _ in try manager.next() }
            #expect(
                messages.dropLast() == [
                    "READY=1", "STOPPING=1", "WATCHDOG=1", "FDSTORE=1\nFDNAME=weft-test\nFDPOLL=0",
                ]
            )
            #expect(messages[4].hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        }
    }

    @Test("Nobody to tell is fine, and one who does not take it is logged and forgotten")
    func nobody() async throws {
        let log = RecordedLog()
        DaemonNotifications(notifier: nil, logger: log.logger).ready()
        #expect(log.messages == [])
        try await withTemporaryFolder { folder in
            let notifier = try Notifier(path: folder + "/none")
            DaemonNotifications(notifier: notifier, logger: log.logger).ready()
            #expect(log.messages.count == 1)
            #expect(log.messages.first?.hasPrefix("warning: telling systemd failed") == true)
        }
    }

    @Test("The watchdog is fed while the loops live, and its service ends when weftd stops")
    func watchdog() async throws {
        try await withManager { notifications, manager in
            try await withPlane { plane, _ in
                let service = WatchdogService(
                    plane: plane,
                    notifications: notifications,
                    interval: .milliseconds(20),
                    logger: RecordedLog().logger
                )
                let group = ServiceGroup(
                    configuration: .init(services: [service], logger: RecordedLog().logger)
                )
                async let running: Void = group.run()
                for _ in 0..<5 { #expect(try manager.next() == "WATCHDOG=1") }
                await group.triggerGracefulShutdown()
                try await running
            }
        }
    }

    @Test("Without a watchdog nobody is told, and the service waits for the end")
    func noWatchdog() async throws {
        try await withManager { notifications, manager in
            try await withPlane { plane, _ in
                let service = WatchdogService(
                    plane: plane,
                    notifications: notifications,
                    interval: nil,
                    logger: RecordedLog().logger
                )
                let group = ServiceGroup(
                    configuration: .init(services: [service], logger: RecordedLog().logger)
                )
                async let running: Void = group.run()
                await group.triggerGracefulShutdown()
                try await running
                #expect(!manager.hasMessage)
            }
        }
    }
}

/// systemd's end of NOTIFY_SOCKET.
private final class NotifySocket {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withSocketAddress(path) { bind(descriptor, $0, $1) }
        guard result == 0 else { throw TestFailure("bind \(path): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Descriptors that come with a message are not taken.
    func next() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw TestFailure("no message: errno \(errno)") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    var hasMessage: Bool { recv(descriptor, nil, 0, CInt(MSG_DONTWAIT) | CInt(MSG_PEEK)) >= 0 }
}

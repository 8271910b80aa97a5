internal import Logging
internal import ServiceLifecycle
internal import WeftTransport

/// Tells systemd that the loops that carry bytes are alive: a ping is sent only when each of them has taken its turn
/// since the last one. A loop that hangs ends the pings, and systemd restarts weftd.
struct WatchdogService: Service {
    let plane: DataPlane
    let notifications: DaemonNotifications
    /// Nil when systemd asked for no pings.
    let interval: Duration?
    let logger: Logger

    func run() async throws {
        guard let interval else {
            try await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    // Waits as long as the slowest loop does.
                    try await plane.beat()
                    notifications.watchdog()
                    try await Task.sleep(for: interval / 2)
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("the data plane did not answer", metadata: ["error": "\(error)"])
                    return
                }
            }
        }
    }
}

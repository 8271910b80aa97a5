internal import Logging
internal import WeftHost

/// What weftd tells systemd. A message that systemd does not take is logged and forgotten: it never stops weftd.
struct DaemonNotifications: Sendable {
    /// Nil when nobody is to be told.
    let notifier: Notifier?
    let logger: Logger

    func ready() { tell { try $0.ready() } }

    func reloading() { tell { try $0.reloading() } }

    func stopping() { tell { try $0.stopping() } }

    func watchdog() { tell { try $0.watchdog() } }

    /// Hands a descriptor to the fd store, where it outlives this process until the unit stops for good.
    func store(_ descriptor: CInt, name: String) { tell { try $0.store([descriptor], name: name) } }

    private func tell(_ message: (Notifier) throws -> Void) {
        guard let notifier else { return }
        do {
            try message(notifier)
        } catch {
            logger.warning("telling systemd failed", metadata: ["error": "\(error)"])
        }
    }
}

internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// SIGHUP: reads the configuration again. A good one is swapped in whole; a bad one changes nothing and is remembered as
/// a problem.
struct Reloader: Service {
    let controller: HostController
    let identity: IdentityController
    let requests: RequestBook
    let spans: SpanExporter
    let path: String
    let notifications: DaemonNotifications
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals { await reload() }
        }
    }

    private func reload() async {
        notifications.reloading()
        do {
            let configuration = try ConfigurationFile.load(path)
            await controller.adopt(configuration)
            await identity.adopt(configuration)
            await requests.adopt(configuration)
            await spans.adopt(configuration)
            logger.notice("configuration reloaded", metadata: ["path": "\(path)"])
        } catch {
            await controller.reject(error)
            logger.error("configuration refused, the old one runs on", metadata: ["error": "\(error)"])
        }
        notifications.ready()
    }
}

internal import NIOCore
internal import ServiceLifecycle
internal import WeftConfig
internal import WeftTransport

/// Holds capture while weftd serves, and lets go of it first when weftd stops: new connections go direct from then on,
/// those that were captured end in their own time.
struct CaptureService: Service {
    let controller: HostController
    let notifications: DaemonNotifications

    func run() async throws {
        try await gracefulShutdown()
        notifications.stopping()
        await controller.beginDraining()
    }
}

/// Keeps the data plane, and drains it when weftd stops.
struct DataPlaneService: Service {
    let plane: DataPlane
    let controller: HostController

    func run() async throws {
        try await gracefulShutdown()
        try await plane.drain(deadline: .now + controller.configuration.proxy.drainTimeout)
    }
}

/// Serves the API until shutdown. Then clients have a moment to finish; those that are idle, or do not read, are cut off.
struct APIService: Service {
    let server: APIServer
    let group: any EventLoopGroup
    let onReady: @Sendable () async -> Void

    private static let patience = Duration.milliseconds(500)

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run(on: group, onReady: onReady) }
            tasks.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: Self.patience)
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }
}

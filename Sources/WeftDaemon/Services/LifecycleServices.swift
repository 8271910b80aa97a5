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

/// Serves the API until shutdown.
struct APIService: Service {
    let server: APIServer
    let group: any EventLoopGroup
    let onReady: @Sendable () async -> Void

    func run() async throws {
        try await server.run(on: group, onReady: onReady)
    }
}

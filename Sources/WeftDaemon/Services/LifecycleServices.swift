internal import NIOCore
internal import ServiceLifecycle
internal import WeftCatalog
internal import WeftConfig
internal import WeftHost
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

/// Takes part in the mesh, and leaves it first of all when weftd stops: what this host offers stays reachable, but new
/// connections of others had better go to hosts that stay.
struct MembershipService: Service {
    let mesh: MeshController
    let host: HostController
    let identity: IdentityController
    let reach: ReachBook

    /// Beyond this the others have to find out by themselves.
    private static let leaveMax = Duration.seconds(3)

    func run() async throws {
        let (found, continuation) = AsyncStream.makeStream(
            of: MeshSnapshot.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let (peers, peersContinuation) = AsyncStream.makeStream(
            of: [MeshPeer].self,
            bufferingPolicy: .bufferingNewest(1)
        )
        await host.setServicesListener { continuation.yield($0) }
        await host.setSnapshotListener { [reach] snapshot in Task { await reach.adopt(snapshot) } }
        await mesh.setPeersListener { peersContinuation.yield($0) }
        await mesh.start()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await snapshot in found {
                        // What this host offers has a certificate before others hear of it.
                        await identity.adopt(snapshot)
                        await mesh.adopt(snapshot)
                    }
                }
                group.addTask { for await list in peers { await reach.adopt(list) } }
            }
        }
        await reach.stop()
        await mesh.save()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await mesh.leave() }
            group.addTask { try? await Task.sleep(for: Self.leaveMax) }  // Cancelled means that it has left.
            await group.next()
            group.cancelAll()
            await mesh.end()
        }
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

/// Gives back the memory that rare work needed, once it is over: the start, and each making of certificates, which
/// touches much of the program that is not needed again for hours.
final class SettlingService: Service {
    /// Long enough for the first look at the host and the first exchanges with the mesh, and for a burst of new services.
    private static let workTime = Duration.seconds(3)

    private let wishes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (wishes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        continuation.yield()
    }

    /// Some rare work has been done.
    func worked() { continuation.yield() }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.wishes {
                guard (try? await Task.sleep(for: Self.workTime)) != nil else { return }
                ProgramPages.release()
            }
        }
        try await gracefulShutdown()
    }
}

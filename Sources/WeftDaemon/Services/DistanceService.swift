internal import Logging
internal import ServiceLifecycle
internal import WeftCore
internal import WeftTransport

/// Tells the data plane how far away the other hosts are, while a service prefers near endpoints.
struct DistanceService: Service {
    /// Round-trip times hardly change; hosts that come are told of soon enough.
    private static let interval = Duration.seconds(5)

    let plane: DataPlane
    let controller: HostController
    let mesh: MeshController
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await tell()
                // Cancelled means that weftd stops.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func tell() async {
        guard await controller.wantsDistances else { return }
        do {
            plane.publish(distances: try await mesh.distances())
        } catch {
            // Those that are known hold; gossip itself says what is wrong with it.
            logger.debug("distances are not known", metadata: ["error": "\(error)"])
        }
    }
}

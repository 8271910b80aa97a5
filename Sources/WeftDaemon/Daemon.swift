internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import UnixSignals
internal import WeftAPI
internal import WeftCapture
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftIdentity
internal import WeftTransport

/// The composition root: the one place that knows every part of weftd and the order in which they come and go.
///
/// Phases: read and validate (nothing is touched yet), take over or bind, start the data plane, look at the host and
/// capture, serve the API, tell systemd. SIGTERM goes the same way back: API, capture, data plane with a deadline.
package struct Daemon: Sendable {
    /// What the command line may say.
    package struct Options: Sendable {
        package var configurationPath: String
        package var socketPath: String
        /// Where state survives reboots.
        package var stateDirectory: String

        package init(configurationPath: String?, socketPath: String?, stateDirectory: String?) {
            self.configurationPath = configurationPath ?? ConfigurationFile.defaultPath
            self.socketPath = socketPath ?? APIRoute.defaultSocketPath
            self.stateDirectory = stateDirectory ?? "/var/lib/weft"
        }
    }

    private let options: Options
    private let configuration: Configuration
    private let logger: Logger

    /// Reads and validates the configuration; touches nothing else.
    package init(_ options: Options) throws(DaemonError) {
        self.options = options
        self.configuration = try ConfigurationFile.load(options.configurationPath)
        let level = Logger.Level(rawValue: configuration.log.level.rawValue) ?? .info
        let journal = Journal()
        self.logger = Logger(label: "weftd") { JournalLogHandler(label: $0, level: level, journal: journal) }
    }

    /// Runs until SIGTERM or SIGINT.
    package func run() async throws {
        let started = ContinuousClock.now
        let notifications = DaemonNotifications(notifier: try Notifier.fromEnvironment(), logger: logger)
        let name = try nodeName
        let handedOver = try HandedOver(
            notifications: notifications,
            tunnelPort: configuration.security.port,
            logger: logger
        )
        let publisher = WorkloadPublisher()
        let mount = try CgroupMount.find()
        let directory = try WorkloadDirectory(mount: mount) { publisher.publish($0) }
        let ties = TunnelTies()
        let settling = SettlingService()
        let identity = try IdentityController(
            configuration: configuration,
            name: name,
            stateDirectory: options.stateDirectory,
            joinClient: JoinClient(dialMark: CaptureMark.own, logger: logger),
            reachProbe: ReachProbe(dialMark: CaptureMark.own),
            logger: logger
        ) { snapshot in
            ties.publish(snapshot)
            settling.worked()
        }
        let join = JoinServer { request, address in await identity.serve(request, from: address) }
        let plane = try await DataPlane.start(
            loopCount: configuration.proxy.loops ?? System.coreCount,
            listeners: handedOver.listeners,
            settings: DataPlaneSettings(configuration, features: .all),
            snapshot: MeshSnapshot(),
            makeLookup: { try KernelLookup() },
            resolveWorkload: { id, completion in directory.resolve(id, completion: completion) },
            node: name,
            hooks: ties.hooks,
            join: join,
            logger: logger
        )
        let reach = ReachBook(
            stateDirectory: options.stateDirectory,
            logger: logger,
            actions: .init(plane)
        )
        await reach.start()
        ties.connect(plane, reach, identity)
        await identity.start()
        publisher.connect(to: plane, first: directory.workloads)
        let controller = try HostController(
            configuration: configuration,
            plane: plane,
            directory: directory,
            mount: mount,
            handedOver: handedOver,
            stateDirectory: options.stateDirectory,
            logger: logger
        )
        await controller.start()
        try await plane.accept()
        let mesh = MeshController(
            configuration: configuration,
            name: name,
            host: controller,
            identity: identity,
            stateDirectory: options.stateDirectory,
            dialMark: CaptureMark.own,
            logger: logger
        )
        await identity.connect(to: mesh)
        try await serve(
            Parts(
                started: started,
                notifications: notifications,
                mount: mount,
                directory: directory,
                plane: plane,
                controller: controller,
                mesh: mesh,
                identity: identity,
                reach: reach,
                join: join,
                settling: settling
            )
        )
        await controller.removeCapture()
        try await plane.stop()
        directory.stop()
        controller.executor.stop()
        await identity.stop()
        logger.notice("stopped")
    }

    /// What runs between start and stop.
    private struct Parts {
        let started: ContinuousClock.Instant
        let notifications: DaemonNotifications
        let mount: CgroupMount
        let directory: WorkloadDirectory
        let plane: DataPlane
        let controller: HostController
        let mesh: MeshController
        let identity: IdentityController
        let reach: ReachBook
        let join: JoinServer
        let settling: SettlingService
    }

    /// What this host calls itself in the mesh.
    private var nodeName: NodeName {
        get throws(DaemonError) {
            let text = configuration.node.name ?? System.hostName
            guard let name = NodeName(text) else { throw .nodeName(text) }
            return name
        }
    }

    /// The services from start to stop.
    private func serve(_ parts: Parts) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let book = RequestBook(plane: parts.plane, logger: logger)
        await book.adopt(configuration)
        let spans = SpanExporter(
            node: parts.mesh.name.text,
            actions: .init(parts.plane, CollectorClient(group: group, dialMark: CaptureMark.own)),
            logger: logger
        )
        await spans.adopt(configuration)
        let reports = Reports(
            node: parts.mesh.name.text,
            started: parts.started,
            plane: parts.plane,
            controller: parts.controller,
            mesh: parts.mesh,
            identity: parts.identity,
            reach: parts.reach,
            requests: book,
            spans: spans,
            join: parts.join,
            mount: parts.mount,
            directory: parts.directory
        )
        let api = APIService(
            server: APIServer(
                socketPath: options.socketPath,
                connectionsMax: DescriptorBudget.ofThisProcess().apiConnections,
                reports: reports,
                logger: logger
            ),
            group: group
        ) { [logger] in
            parts.notifications.ready()
            logger.notice("ready", metadata: ["version": "\(weftVersion)"])
        }
        // They stop in the reverse order. The API is the last: a client of it must not keep capture from letting go, and
        // `weft status` answers while connections end.
        let services: [any Service] = [
            api,
            WatchdogService(
                plane: parts.plane,
                notifications: parts.notifications,
                interval: try Watchdog.interval(),
                logger: logger
            ),
            parts.settling,
            RequestBookService(book: book),
            SpanExportService(exporter: spans),
            LoadWatchService(plane: parts.plane, mount: parts.mount, logger: logger),
            DistanceService(plane: parts.plane, controller: parts.controller, mesh: parts.mesh, logger: logger),
            DataPlaneService(plane: parts.plane, controller: parts.controller),
            CaptureService(controller: parts.controller, notifications: parts.notifications),
            MembershipService(
                mesh: parts.mesh,
                host: parts.controller,
                identity: parts.identity,
                reach: parts.reach
            ),
            Reloader(
                controller: parts.controller,
                identity: parts.identity,
                requests: book,
                spans: spans,
                path: options.configurationPath,
                notifications: parts.notifications,
                logger: logger
            ),
        ]
        let serviceGroup = ServiceGroup(
            configuration: .init(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await serviceGroup.run()
        } catch {
            try? await group.shutdownGracefully()  // The error that matters is the one that brought us here.
            throw error
        }
        try await group.shutdownGracefully()
    }

    // MARK: Other uses of the program

    /// `weftd --check FILE`: the mistakes of a configuration file; empty when it is good.
    package static func mistakes(in path: String) -> [String] {
        guard access(path, F_OK) == 0 else {
            return ["\(DaemonError.configurationUnreadable(path: path, reason: String(cString: strerror(errno))))"]
        }
        do throws(DaemonError) {
            _ = try ConfigurationFile.load(path)
            return []
        } catch {
            guard case .configurationInvalid(_, let diagnostics) = error else { return ["\(error)"] }
            return diagnostics
        }
    }

    /// `weftd --cleanup`: removes what a weftd that is gone for good left in the kernel. Says what it did.
    package static func cleanUp(includingClosed: Bool) throws -> String {
        switch try NetfilterCleanup.removeLeftovers(includingClosed: includingClosed) {
        case .ownerAlive: "weftd is alive: nothing removed"
        case .removed(let tables, let items):
            tables.isEmpty && items == 0
                ? "nothing of weft's was left"
                : "removed tables: \(tables.joined(separator: ", ")); routes, rules and addresses: \(items)"
        }
    }
}

/// Facts about this machine that Swift's own library does not give.
private enum System {
    static var coreCount: Int { max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))) }

    /// The host's name, up to the first dot.
    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: ".")) }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

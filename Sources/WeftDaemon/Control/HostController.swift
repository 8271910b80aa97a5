internal import Logging
internal import WeftAPI
internal import WeftCapture
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftTransport

/// The control side's one owner of the host's state: configuration, local services, snapshot and capture rules.
///
/// An actor on a thread of its own, because most of what it does is system calls that block for up to some milliseconds.
/// It looks at the host, computes what should be, and changes only what differs; the data path learns of it by
/// publication (`DataPlane.publish`). `HostController+Services`, `+Capture` and `+Problems` hold its duties.
actor HostController {
    nonisolated let executor: BlockingExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let logger: Logger
    let plane: DataPlane
    let directory: WorkloadDirectory
    let mount: CgroupMount
    /// weftd's own control group; nil when the kernel does not say.
    let ownCgroup: OwnCgroup?
    let stateDirectory: String
    let users: UserNames

    var configuration: Configuration
    /// The mistakes of the last rejected reload; nil after a good one.
    var rejectedConfiguration: String?

    // Services
    let diag: SocketDiag
    var listeners: [ListeningSocket] = []
    var workloads: [CgroupID: Workload] = [:]
    var ownAddresses: Set<IPAddress> = []
    var mesh = MeshBuilder()
    var snapshot = MeshSnapshot()
    var onServices: (@Sendable (MeshSnapshot) -> Void)?
    var onSnapshot: (@Sendable (MeshSnapshot) -> Void)?
    /// Why other hosts cannot open tunnels to this one.
    let tunnelFailure: String?
    /// The numbers that govern requests, by the names that services go by.
    var policies = ServicePolicies()
    /// `snapshot.destinations`, kept by differences.
    var meshDestinations: Set<NetworkAddress> = []

    // Capture
    let session: NetfilterSession
    let routing: HostRouting
    var features = KernelFeatures.all
    var captureWanted: Bool
    var captureError: String?
    var degraded: [String] = []
    var unknownUsers: [String] = []
    var isDraining = false
    private var refreshCount = 0

    init(
        configuration: Configuration,
        plane: DataPlane,
        directory: WorkloadDirectory,
        mount: CgroupMount,
        handedOver: HandedOver,
        stateDirectory: String,
        logger: Logger
    ) throws {
        self.executor = try BlockingExecutor()
        self.configuration = configuration
        self.plane = plane
        self.directory = directory
        self.mount = mount
        self.ownCgroup = try mount.own()
        self.stateDirectory = stateDirectory
        self.logger = logger
        self.users = UserNames()
        self.diag = try SocketDiag()
        self.session = handedOver.session
        self.tunnelFailure = handedOver.tunnelFailure
        self.routing = try HostRouting()
        self.captureWanted = configuration.capture.enabled
    }

    /// The first look at the host: finds services, publishes the snapshot and installs capture. A failure of capture is a
    /// state that `weft status` shows, not a reason to stop.
    func start() {
        loadVirtualAddresses()
        do {
            features = try session.probe()
        } catch {
            logger.error("probing the kernel failed", metadata: ["error": "\(error)"])
        }
        plane.update(DataPlaneSettings(configuration, features: features))
        publishRules()
        refresh()
        executor.setTick(every: Self.refreshInterval) { self.assumeIsolated { $0.refresh() } }
    }

    /// Looks at the host again and follows every change. Called every `refreshInterval`: most times it reads the listening
    /// sockets and finds nothing new, which is what an idle host pays for weft.
    func refresh() {
        guard !isDraining else { return }
        let isThorough = refreshCount % Self.thoroughEvery == 0
        refreshCount += 1
        let changed = refreshServices(lookingAtAddresses: isThorough)
        let areGone = isThorough && rulesAreGone()
        if changed || captureError != nil || areGone { applyCapture(anew: areGone) }
    }

    /// Makes a new, valid configuration the running one. Capture on or off stays what `weft on` and `weft off` made it
    /// unless the setting itself changed.
    func adopt(_ new: Configuration) {
        let old = configuration
        configuration = new
        rejectedConfiguration = nil
        if old.capture.enabled != new.capture.enabled { captureWanted = new.capture.enabled }
        plane.update(DataPlaneSettings(new, features: features))
        publishRules()
        forgetServices()
        _ = refreshServices(lookingAtAddresses: true)
        applyCapture()
    }

    /// Remembers why a reload was refused; the old configuration runs on.
    func reject(_ error: any Error) {
        rejectedConfiguration = "\(error)"
    }

    /// Whether a service prefers near endpoints.
    var wantsDistances: Bool { configuration.services.values.contains { $0.policy.prefersNear } }
}

extension HostController {
    /// How often the host is looked at: a new listener is a service within a second.
    static let refreshInterval = Duration.milliseconds(900)
    /// Every how many refreshes the rest is looked at too, which changes rarely: addresses, and whether the kernel still
    /// has the rules. 7 s.
    static let thoroughEvery = 8
}

internal import HTTPTypes
internal import Logging
internal import WeftAPI
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftIdentity
internal import WeftTransport

/// This host's identity: its keys and certificates, what it trusts, and on some hosts the authority of the mesh.
///
/// An actor on a thread of its own, because keeping its state blocks. Everything that it decides goes out as one
/// `IdentitySnapshot`, which event loops read; the pool learns of it by tags (`poolTerms`, `MeshLink`). The state in memory
/// is always one that is on disk: each change is kept first and made this host's then, between two awaits, so that no
/// loss of power and no other task finds half of it.
///
/// Its duties are in extensions: `+Founding`, `+Leaves`, `+Renewal`, `+Trust` (bundles), `+Pool` (gossip keys), `+Serving`
/// (the join service), `+Joining`, `+Authority`, `+Rotation`, `+Reports`.
actor IdentityController {
    nonisolated let executor: BlockingExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let name: NodeName
    let environment: IdentityEnvironment
    let logger: Logger
    let store: StateStore
    let publish: @Sendable (IdentitySnapshot) -> Void
    var configuration: Configuration
    var link: (any MeshLink)?

    /// What is on disk; nil before `start`, and while it cannot be read.
    var state: IdentityState?
    /// What the bundle in `state` says.
    var trusted: TrustBundle?
    /// Why this host has no identity.
    var failure: Failure?
    /// Why the last change could not be kept.
    var keepingFailure: String?
    /// One long command at a time: founding, joining, granting.
    var isBusy = false

    // Certificates
    var leaves: [SpiffeID: WorkloadCertificate] = [:]
    /// Of the services that this host offers.
    var offered: Set<SpiffeID> = []
    /// Of workloads that have called somebody, with the time when they last asked.
    var requested: [SpiffeID: WallTime] = [:]
    var schedule = RenewalSchedule()
    let contexts = TLSContexts()
    var snapshot: IdentitySnapshot?
    nonisolated let pending = PendingLeaves()
    /// What the authority said when it last refused to renew the intermediate.
    var renewalRefusal: JoinRefusal?
    /// What stood in the way of the last renewal of the intermediate.
    var renewalFailure: String?
    var isRenewing = false
    var waker: Task<Void, Never>?

    // The pool
    var members: [MeshMember] = []
    var poolKeysFromFile: [[UInt8]] = []
    var poolIsReady = Steadiness(span: .seconds(2))
    var rotationIsReady = Steadiness(span: .seconds(10))
    /// When trust bundles were last asked for, and sent on demand.
    var bundleAsked: WallTime?
    var bundleSent: [NodeName: WallTime] = [:]
    var isFetchingAuthority = false
    var authorityAsked: WallTime?
    /// When hosts last had their ports tried from here.
    var reachAsked: [IPAddress: WallTime] = [:]

    /// What became of requests to the join service and of this host's own renewals, by name.
    var outcomes: [String: UInt64] = [:]

    /// Why this host has no identity, and what to do.
    struct Failure: Sendable, Equatable {
        let code: String
        let text: String
        let next: String
    }

    init(
        configuration: Configuration,
        name: NodeName,
        stateDirectory: String,
        joinClient: JoinClient,
        reachProbe: ReachProbe,
        logger: Logger,
        publish: @escaping @Sendable (IdentitySnapshot) -> Void
    ) throws {
        try self.init(
            configuration: configuration,
            name: name,
            stateDirectory: stateDirectory,
            environment: IdentityEnvironment(joinClient: joinClient, reachProbe: reachProbe),
            logger: logger,
            publish: publish
        )
    }

    /// With another world than the host's.
    init(
        configuration: Configuration,
        name: NodeName,
        stateDirectory: String,
        environment: IdentityEnvironment,
        logger: Logger,
        publish: @escaping @Sendable (IdentitySnapshot) -> Void
    ) throws {
        self.executor = try BlockingExecutor()
        self.configuration = configuration
        self.name = name
        self.environment = environment
        self.logger = logger
        self.store = StateStore(directory: stateDirectory + "/identity", files: environment.files)
        self.publish = publish
    }

    var now: WallTime { environment.now() }

    var randomness: EnvironmentRandomness { EnvironmentRandomness(source: environment.random) }

    var lifetimes: Lifetimes {
        Lifetimes(
            intermediate: configuration.identity.intermediateLifetime,
            leaf: configuration.identity.leafLifetime
        )
    }

    /// The host as the mesh knows it; nil without an identity.
    var node: NodeIdentity? { trusted == nil ? nil : state?.node }

    // MARK: Start and stop

    /// Loads what was kept, or founds a mesh of one on the first start, and publishes. What fails is a problem that
    /// `weft status` shows, with what to do, and never a reason to stop.
    func start() {
        do {
            try load()
        } catch {
            logger.error("no identity", metadata: ["error": "\(error)"])
        }
        scheduleWake()
    }

    /// Before `start` of the pool: how the identity reaches it.
    func connect(to link: any MeshLink) { self.link = link }

    /// What the configuration says of lifetimes from now on.
    func adopt(_ configuration: Configuration) { self.configuration = configuration }

    func stop() {
        waker?.cancel()
        waker = nil
        for (_, completions) in pending.take() { completions.forEach { $0(false) } }
    }

    private func load() throws {
        do {
            if let kept = try store.load() {
                try adoptLoaded(kept)
            } else {
                try found(nil)
            }
            failure = nil
        } catch {
            failure = Failure(error)
            throw error
        }
    }

    /// After a remedy: what stood in the way may have been moved out of it.
    func loadAgain() throws(APIFailure) {
        guard trusted == nil else { return }
        do {
            try load()
            scheduleWake()
        } catch {
            let failure = Failure(error)
            throw APIFailure(.conflict, code: failure.code, text: failure.text, next: failure.next)
        }
    }

    private func adoptLoaded(_ kept: IdentityState) throws {
        guard let node = kept.node, let bundle = try kept.trusted() else { return try found(nil) }
        state = kept
        guard node.node == name else { return try rename(from: node.node, trusting: bundle) }
        take(node, trusting: bundle)
    }

    /// Makes what is in `state` this host's identity.
    func take(_ node: NodeIdentity, trusting bundle: TrustBundle) {
        var rng = randomness
        trusted = bundle
        renewalRefusal = nil
        schedule = RenewalSchedule()
        schedule.hold(.intermediate, node.intermediate.validity, using: &rng)
        hastenAfterRotation()
        leaves = [:]
        mintAll()
        publishSnapshot()
    }

    // MARK: State

    /// Keeps a changed state, and only then makes it this host's.
    func keep(_ next: IdentityState) throws(StateStoreError) {
        do {
            try store.save(next)
            keepingFailure = nil
        } catch {
            keepingFailure = "\(error)"
            logger.error("identity not kept", metadata: ["error": "\(error)"])
            throw error
        }
        state = next
    }
}

extension IdentityController.Failure {
    fileprivate init(_ error: any Error) {
        if let renamed = error as? RenamedHost {
            self.init(
                code: "host-renamed",
                text: "this host was called \(renamed.before) when it joined, and is called \(renamed.after) now: "
                    + "its certificates do not name it",
                next: "set name = \"\(renamed.before)\" in [node] of /etc/weft/weft.toml, or sudo weft join TOKEN"
            )
        } else {
            self.init(
                code: "identity-unreadable",
                text: "this host has no identity: \(error)",
                next: "sudo ls -l /var/lib/weft/identity"
            )
        }
    }
}

/// The host has another name than its certificates, and cannot make new ones.
struct RenamedHost: Error, CustomStringConvertible {
    let before: NodeName
    let after: NodeName

    var description: String { "this host was called \(before) and is called \(after)" }
}

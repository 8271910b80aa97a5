internal import Logging
internal import WeftAPI
internal import WeftCapture
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftGossip
internal import WeftHost
internal import WeftTransport

/// This host's place in the mesh: its membership (`Gossip`) and what it knows of everybody's services (`Catalogue`).
///
/// An actor off the event loops. What it learns of other hosts goes to `HostController`, which makes the snapshots that the
/// data path reads; what that finds on this host comes here and goes out to the others. `MeshController+Notices` follows
/// the mesh, `+Commands` and `+Reports` answer the API.
actor MeshController {
    let settings: Configuration.Gossip
    /// What this host is called; unique in the mesh.
    nonisolated let name: NodeName
    let host: HostController
    /// Nil for a host without one, which only tests have.
    let identity: IdentityController?
    let logger: Logger
    /// SO_MARK of dials.
    let dialMark: UInt32

    var catalogue: Catalogue
    var events = EventLog()
    var keys: GossipKeys
    let memory: GossipMemory

    /// Nil while this host takes part in no mesh: before the start, after `weft leave`, or when it cannot.
    var gossip: Gossip?
    /// Why it cannot.
    var failure: Failure?
    /// Statements of other hosts' catalogues that were not believed, by reason.
    var refusals: [String: UInt64] = [:]
    /// This host's services and addresses, as they were seen last.
    private(set) var local = MeshSnapshot()
    /// The one that other hosts are told.
    var ownAddress: IPAddress?
    /// Waits for `ownAddress` to come back, or moves.
    var mover: Task<Void, Never>?

    // The identity's side
    /// Every member, this host included.
    var table: [MemberName: MeshMember] = [:]
    var peersListener: (@Sendable ([MeshPeer]) -> Void)?
    /// What the pool sees of the identity now.
    var terms = PoolTerms()
    var termsAreNew = false
    var isTakingTerms = false
    /// Waits to tell of members.
    var teller: Task<Void, Never>?
    var latestMembers: [MeshMember]?
    var isTellingIdentity = false

    /// Reads the notices of `gossip`.
    private var reader: Task<Void, Never>?
    /// Waits for `Catalogue.nextTick`.
    var ticker: Task<Void, Never>?
    /// Saves what is worth keeping, some time after it changed.
    var saver: Task<Void, Never>?

    /// Why this host takes part in no mesh although it should.
    struct Failure {
        let code: String
        let text: String
        let next: String
    }

    init(
        configuration: Configuration,
        name: NodeName,
        host: HostController,
        identity: IdentityController? = nil,
        stateDirectory: String,
        dialMark: UInt32,
        logger: Logger
    ) {
        self.settings = configuration.gossip
        self.name = name
        self.host = host
        self.identity = identity
        self.dialMark = dialMark
        self.logger = logger
        self.catalogue = Catalogue(own: name, at: .now())
        self.keys = GossipKeys(configuredPath: configuration.gossip.keyFile, stateDirectory: stateDirectory)
        self.memory = GossipMemory(stateDirectory: stateDirectory)
    }

    // MARK: Taking part

    /// Begins, in the mesh that this host was in before if it still is there. What stands in the way is a problem that
    /// `weft status` shows and, where time may help, is tried again.
    func start() async {
        guard settings.enabled, gossip == nil else { return }
        let snapshot: GossipSnapshot?
        do {
            snapshot = try memory.load()
        } catch {
            logger.warning("the peers of the last start cannot be read", metadata: ["error": "\(error)"])
            snapshot = nil
        }
        do {
            try await begin(snapshot)
        } catch {
            logger.error("gossip failed", metadata: ["error": "\(error)"])
            return
        }
        guard !settings.join.isEmpty else { return }
        Task { await joinConfigured() }
    }

    /// Starts the gossip core with what is known now. Throws, and remembers as `failure`, why it cannot.
    func begin(_ snapshot: GossipSnapshot?) async throws {
        do {
            let configuration = try await gossipConfiguration()
            let gossip = try await Gossip.start(
                configuration,
                snapshot: snapshot,
                section: catalogue.digest(),
                dialMark: dialMark,
                logger: logger
            )
            self.gossip = gossip
            failure = nil
            reader = Task { await follow(gossip) }
            note(try await gossip.members().members)
            publishServices()
            logger.notice(
                "gossip started",
                metadata: [
                    "address": "\(configuration.advertise)",
                    "encrypted": "\(!configuration.keys.isEmpty && configuration.encryption != .have)",
                ]
            )
            // It may have changed while the core started.
            await identityChanged()
        } catch let error as GossipKeyError {
            failure = Failure(code: "gossip-keys", text: "\(error)", next: "weftd --check /etc/weft/weft.toml")
            throw error
        } catch {
            failure = Failure(
                code: "gossip-failed",
                text: "this host takes part in no mesh: \(error)",
                next: "sudo ss -lntup 'sport = :\(settings.port)'"
            )
            throw error
        }
    }

    private func gossipConfiguration() async throws -> GossipConfiguration {
        guard let address = try settings.advertise ?? OwnAddresses.reachable() ?? ownLoopback else {
            throw HostError("find an address that other hosts reach", .malformed("this host has none"))
        }
        ownAddress = address
        let configured = try keys.load()
        if settings.keyFile != nil { await identity?.poolKeysRead(configured) }
        terms = await identity?.poolTerms() ?? PoolTerms()
        var configuration = GossipConfiguration(
            name: MemberName(name.text),
            advertise: NetworkAddress(address, port: settings.port),
            tags: tags(with: terms),
            keys: settings.keyFile == nil ? terms.keys : configured
        )
        configuration.encryption = settings.keyFile == nil ? EncryptionMode(terms.mode) : .only
        configuration.expectedMembers = 16
        return configuration
    }

    /// A host without a network is a mesh of one, until it has one.
    private var ownLoopback: IPAddress? { .loopbackV4 }

    /// Tells the mesh that this host goes, and ends. Bounded by the core's own patience.
    func leave() async {
        guard let gossip else { return }
        do {
            try await gossip.leave()
        } catch {
            logger.warning("leaving the mesh failed", metadata: ["error": "\(error)"])
        }
        await end()
    }

    /// Ends without a word, as far as `leave` has not said it.
    func end() async {
        guard let gossip else { return }
        self.gossip = nil
        reader?.cancel()
        ticker?.cancel()
        saver?.cancel()
        (reader, ticker, saver) = (nil, nil, nil)
        await gossip.stop()
        // Nobody else is known from here on.
        table = [:]
        tellMembers()
        var change = CatalogueChange()
        change.removed = catalogue.endpoints
        catalogue = Catalogue(own: name, at: .now())
        await host.follow([change])
    }

    /// Asks the hosts of the configuration, again and again while this host is alone.
    private func joinConfigured() async {
        while let gossip, !Task.isCancelled {
            do {
                let isAlone = try await gossip.members().members.filter { $0.state == .alive }.count < 2
                if isAlone { _ = try await join(settings.join) }
            } catch {
                logger.info("joining the configured hosts failed", metadata: ["error": "\(error)"])
            }
            // Cancelled means that nobody needs this any more.
            try? await Task.sleep(for: .seconds(10))
        }
    }

    // MARK: What this host offers

    /// Takes what was found on this host, and tells the others what is new.
    func adopt(_ snapshot: MeshSnapshot) {
        local = snapshot
        publishServices()
        followAddress()
    }

    /// Those of the bridges of containers and virtual machines: every host may have the same.
    private func privateAddresses(beside gossipAddress: IPAddress) -> Set<IPAddress> {
        do {
            return try OwnAddresses.onBridges(withoutThatOf: gossipAddress)
        } catch {
            logger.debug("the bridges of this host are not known", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func publishServices() {
        guard gossip != nil else { return }
        guard let ownAddress else { return }
        let records = ServiceRecord.records(
            of: local.localServices,
            gossipAddress: ownAddress,
            ownAddresses: local.ownAddresses.subtracting(privateAddresses(beside: ownAddress))
        )
        send(catalogue.publish(records))
        catalogueChanged()
    }
}

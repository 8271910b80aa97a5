internal import Logging
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftProxy
internal import WeftTransport

/// Local services: what listens here, whose it is, and under which addresses the mesh knows it.
extension HostController {
    private static let addressesFile = "virtual-addresses"

    /// Compares the host with what was seen last. True when something that capture or the snapshot depends on changed.
    func refreshServices(lookingAtAddresses: Bool) -> Bool {
        let listeners: [ListeningSocket]
        let ownAddresses: Set<IPAddress>
        do {
            listeners = try diag.listeners()
            ownAddresses = lookingAtAddresses ? try OwnAddresses.current() : self.ownAddresses
        } catch {
            logger.warning("looking at the host failed", metadata: ["error": "\(error)"])
            return false
        }
        let workloads = directory.workloads
        guard listeners != self.listeners || workloads != self.workloads || ownAddresses != self.ownAddresses else {
            return false
        }
        self.listeners = listeners
        self.workloads = workloads
        self.ownAddresses = ownAddresses
        publish(ServiceFinder.services(listeners: listeners, workloads: workloads, overrides: overrides))
        return true
    }

    /// Makes the next refresh compute everything anew.
    func forgetServices() {
        listeners = []
        workloads = [:]
        ownAddresses = []
    }

    private func publish(_ services: [LocalService]) {
        mesh.setLocal(services: services, ownAddresses: ownAddresses)
        publishSnapshot()
        onServices?(snapshot)
        logger.debug("services", metadata: ["count": "\(services.count)"])
    }

    /// Gives the services of this host to whoever tells the mesh of them: now, and whenever they change.
    func setServicesListener(_ listener: @escaping @Sendable (MeshSnapshot) -> Void) {
        onServices = listener
        listener(snapshot)
    }

    /// Gives each snapshot to whoever follows what other hosts offer.
    func setSnapshotListener(_ listener: @escaping @Sendable (MeshSnapshot) -> Void) {
        onSnapshot = listener
        listener(snapshot)
    }

    /// Follows what the catalogue has learned of other hosts. Cheap enough for each change by itself; whoever calls it
    /// may as well collect the changes of some milliseconds.
    func follow(_ changes: [CatalogueChange]) {
        for change in changes { mesh.apply(change) }
        let before = meshDestinations
        publishSnapshot()
        if configuration.capture.scope == .mesh, meshDestinations != before { applyCapture() }
    }

    /// Gives the data path what changed.
    private func publishSnapshot() {
        let update = mesh.build()
        if update.addressesChanged { saveVirtualAddresses() }
        meshDestinations.subtract(update.removedDestinations)
        meshDestinations.formUnion(update.addedDestinations)
        snapshot = update.snapshot
        plane.publish(snapshot)
        onSnapshot?(snapshot)
    }

    /// Whose the unit of this host is that goes by a service's name when it calls others.
    func tenant(ofCaller name: ServiceName) -> TenantName? {
        workloads.values.first { workload in
            guard workload.isSystemUnit, let unit = workload.unit, let own = ServiceFinder.defaultName(ofUnit: unit)
            else {
                return false
            }
            return (configuration.services[own]?.rename ?? own) == name
        }?.tenant
    }

    /// The rules of the configuration.
    var rules: AccessRules {
        var rules = AccessRules()
        rules.isStrict = configuration.security.strict
        rules.isolatedTenants = Set(configuration.tenants.filter(\.value.isolate).keys)
        // Rules go by the name under which a service is offered.
        for (name, override) in configuration.services { rules.allow[override.rename ?? name] = override.allow }
        return rules
    }

    /// Gives them to the data path.
    func publishRules() {
        plane.publish(rules, renames: configuration.services.compactMapValues(\.rename))
        // Services of other hosts may be among them: timeouts and retries are the caller's.
        var named: [ServiceName: ServicePolicy] = [:]
        for (name, override) in configuration.services { named[override.rename ?? name] = override.policy }
        policies.update(named)
        plane.publish(policies)
    }

    private var overrides: [ServiceName: ServiceOverride] {
        configuration.services.mapValues { override in
            ServiceOverride(
                rename: override.rename,
                labels: override.labels,
                protocolHint: override.protocol?.rawValue,
                expose: override.expose
            )
        }
    }

    // MARK: Virtual addresses survive restarts

    private var addressesPath: String { stateDirectory + "/" + Self.addressesFile }

    func loadVirtualAddresses() {
        do {
            guard let bytes = try BoundedFile.read(addressesPath, limit: VirtualAddresses.textBytesMax) else { return }
            mesh = MeshBuilder(virtualAddresses: try VirtualAddresses(text: String(decoding: bytes, as: UTF8.self)))
        } catch {
            // They are computed from names, so that all but collisions come out the same again.
            logger.warning("virtual addresses start anew", metadata: ["file": "\(addressesPath)", "error": "\(error)"])
        }
    }

    private func saveVirtualAddresses() {
        do {
            try AtomicFile.write(Array(mesh.virtualAddresses.text.utf8), to: addressesPath, mode: 0o600)
        } catch {
            logger.warning("virtual addresses not saved", metadata: ["file": "\(addressesPath)", "error": "\(error)"])
        }
    }
}

internal import Logging
internal import WeftAPI
internal import WeftCapture
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftProxy

/// Capture: the rules that should be, and making them so.
extension HostController {
    /// Turns capture on or off until the next start.
    func setCapture(enabled: Bool) -> CaptureStatus {
        captureWanted = enabled
        applyCapture()
        logger.notice("capture switched", metadata: ["enabled": "\(enabled)"])
        return captureStatus
    }

    /// Installs what the configuration and the services of the moment ask for, by the smallest change that does it.
    /// - Parameter anew: replaces the whole, whatever was installed before.
    func applyCapture(anew: Bool = false) {
        do {
            let spec = captureSpec()
            guard captureWanted, !isDraining else {
                try session.update(to: CaptureRules.drainingRuleset(for: spec, keepingClosed: isDraining))
                captureError = nil
                degraded = []
                return
            }
            let plan = try CaptureRules.plan(for: spec)
            let missing = try routing.install(RoutingPlan(spec))
            if anew { try session.apply(plan.ruleset) }
            let change = anew ? .replace : try session.update(to: plan.ruleset)
            if change == .replace {
                logger.info("capture rules installed", metadata: ["rules": "\(plan.ruleset.ruleCount)"])
            }
            degraded = plan.degraded + missing
            captureError = nil
        } catch {
            if captureError != "\(error)" { logger.error("capture failed", metadata: ["error": "\(error)"]) }
            captureError = "\(error)"
        }
    }

    /// Stops capturing while connections that were captured end in their own time: new ones go direct.
    func beginDraining() {
        isDraining = true
        executor.setTick(every: Self.refreshInterval, nil)
        applyCapture()
    }

    /// Takes everything away that weft added to the kernel, but for what `fail = "closed"` promises.
    func removeCapture() {
        do {
            try session.remove(keepingClosed: configuration.capture.failure == .closed)
            _ = try routing.remove()
        } catch {
            logger.error("removing capture failed", metadata: ["error": "\(error)"])
        }
    }

    /// Whether somebody removed the rules, which only happens on kernels whose tables have no owner.
    func rulesAreGone() -> Bool {
        guard captureWanted, session.installed != nil else { return false }
        do {
            if try session.isInstalled() { return false }
            logger.warning("the capture rules were gone: installing them again")
            return true
        } catch {
            logger.warning("reading the capture rules failed", metadata: ["error": "\(error)"])
            return false
        }
    }

    var captureStatus: CaptureStatus {
        let state: CaptureStatus.State = !captureWanted || isDraining ? .off : captureError == nil ? .on : .failed
        return CaptureStatus(
            state: state,
            scope: configuration.capture.scope.rawValue,
            rules: state == .on ? session.installed?.ruleCount ?? 0 : 0,
            degraded: degraded,
            error: captureError
        )
    }

    // MARK: From configuration to spec

    func captureSpec() -> CaptureSpec {
        let settings = configuration.capture
        let offered = snapshot.localServices
        var spec = CaptureSpec()
        spec.scope = settings.scope == .all ? .all : .mesh
        spec.meshDestinations = settings.scope == .mesh ? meshDestinations : []
        spec.inboundPorts = settings.inbound ? Set(offered.filter(\.isExposed).map(\.port)) : []
        let local = settings.local ? offered : offered.filter(isRestricted)
        spec.capturesLocal = settings.local || !local.isEmpty
        spec.localPorts = Set(local.map(\.port))
        spec.excludedPorts = settings.exclude.ports
        spec.excludedAddresses = settings.exclude.addresses
        spec.excludedCgroups = references(toUnits: Set(settings.exclude.units))
        spec.ownCgroup = ownCgroup.map { CgroupReference(level: UInt8(clamping: $0.level), id: $0.id) }
        spec.failClosed = settings.failure == .closed
        unknownUsers = []
        spec.excludedUsers = ids(of: settings.exclude.users)
        spec.failClosedUsers = ids(of: settings.failClosedUsers)
        spec.preservesClientAddress = settings.preserveClientAddress
        spec.inboundSkippedInterfaces = skippedBridges
        spec.features = features
        return spec
    }

    /// Whether a rule of the configuration is about who may call a service: calls from this host are judged then too.
    private func isRestricted(_ service: LocalService) -> Bool {
        let rules = self.rules
        return rules.allow[service.name] != nil || rules.isolatedTenants.contains(service.tenant)
    }

    /// Bridges on which tproxy would lose connections (capture.md section 8).
    private var skippedBridges: Set<InterfaceName> {
        do {
            return Set(try BridgeSurvey.bridgesUnderNetfilter())
        } catch {
            logger.warning("listing bridges failed", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func ids(of references: [UserReference]) -> Set<UserID> {
        var ids: Set<UserID> = []
        for reference in references {
            switch reference {
            case .id(let id): ids.insert(id)
            case .name(let name):
                if let id = users.id(of: name) { ids.insert(id) } else { unknownUsers.append(name) }
            }
        }
        return ids
    }

    /// Units of the configuration that run now. Their ids change when they restart, which a refresh notices.
    private func references(toUnits units: Set<String>) -> Set<CgroupReference> {
        guard !units.isEmpty else { return [] }
        var references: Set<CgroupReference> = []
        for (id, workload) in workloads {
            guard let unit = workload.unit, units.contains(unit) else { continue }
            let depth = workload.cgroupPath.split(separator: "/").count
            references.insert(CgroupReference(level: UInt8(clamping: depth), id: id))
        }
        return references
    }
}

extension HostController {
    /// Reads the kernel back.
    func rulesAreInstalled() -> Bool {
        // What cannot be read is not known to be there.
        (try? session.isInstalled()) ?? false
    }
}

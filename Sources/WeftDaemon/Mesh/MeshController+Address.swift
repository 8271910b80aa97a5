internal import Logging
internal import WeftCatalog
internal import WeftConfig
internal import WeftCore
internal import WeftHost
internal import WeftTransport

/// Following this host's own address, which may change under a running weftd, or come after its start.
extension MeshController {
    /// Called after each look at this host. The address that the others know has gone: if it stays away for longer than
    /// a renewal of a lease takes, this host moves to the one that it has now.
    func followAddress() {
        guard mover == nil, isMisplaced else { return }
        mover = Task {
            // Cancelled by nobody.
            try? await Task.sleep(for: Self.moveDelay)
            await move()
            mover = nil
        }
    }

    private static var moveDelay: Duration { .seconds(2) }
    /// Between attempts to begin anew.
    private static var retryDelay: Duration { .seconds(10) }

    private var isMisplaced: Bool {
        guard settings.advertise == nil, gossip != nil, let ownAddress, !local.ownAddresses.isEmpty
        else { return false }
        return ownAddress.isLoopback || !local.ownAddresses.contains(ownAddress)
    }

    /// Leaves with the old address and comes back with the new one: a name does not change its address in one step, as
    /// that is what somebody would do who takes another's name.
    private func move() async {
        guard isMisplaced, let gossip, let before = ownAddress else { return }
        do {
            guard let next = try OwnAddresses.reachable(), next != before else { return }
            logger.notice("address changed", metadata: ["from": "\(before)", "to": "\(next)"])
            let snapshot = try await gossip.snapshot()
            await leave()
            while self.gossip == nil {
                // `begin` says what stands in its way, as `failure` and in the log.
                do { try await begin(snapshot) } catch { try await Task.sleep(for: Self.retryDelay) }
            }
        } catch {
            logger.error("the new address cannot be followed", metadata: ["error": "\(error)"])
        }
    }
}

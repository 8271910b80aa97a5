internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftProxy

/// The second room: which local process group opened the connection. The kernel's word or nothing.
extension Connection {
    /// Finds the source and continues with it: at once when the unit is known to this loop, else after the workload
    /// directory has looked at the cgroup tree.
    func attribute(_ flow: Flow, then proceed: @escaping (Source) -> Void) {
        guard isOutbound else {
            // From another host: a workload there, of which a certificate tells, or nothing but the address does.
            proceed(Source(workload: nil, owner: nil, address: flow.client))
            return
        }
        guard let owner = owner(of: flow) else {
            loop.countAttributionMiss()
            proceed(Source(workload: .host, owner: nil, address: flow.client))
            return
        }
        if let workload = loop.workloads[owner.cgroup] {
            proceed(Source(workload: workload, owner: owner, address: flow.client))
            return
        }
        let continuation = NIOLoopBound((self, proceed), eventLoop: loop.eventLoop)
        loop.resolveWorkload(owner.cgroup) { workload in
            continuation.eventLoop.execute {
                let (connection, proceed) = continuation.value
                // The client may have gone while the tree was read.
                guard connection.relay.phase == .dialling else { return }
                if workload == nil { connection.loop.countAttributionMiss() }
                proceed(Source(workload: workload ?? .host, owner: owner, address: flow.client))
            }
        }
    }

    private func owner(of flow: Flow) -> SocketOwner? {
        let started = Instant.now(on: loop.eventLoop)
        defer { loop.countAttribution(Instant.now(on: loop.eventLoop) - started) }
        do {
            return try loop.lookup.owner(client: flow.client, destination: flow.destination)
        } catch {
            loop.logger.warning("attribution failed", metadata: ["error": "\(error)", "client": "\(flow.client)"])
            return nil
        }
    }
}

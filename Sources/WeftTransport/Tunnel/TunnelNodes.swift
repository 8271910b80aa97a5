package import WeftCore

/// What an event loop knows of the other hosts' tunnels: replaced whole by the control side.
package struct TunnelNodes: Sendable, Equatable {
    package struct Node: Sendable, Equatable {
        /// Nil for a host that has told of none.
        package let mesh: MeshName?
        package let port: UInt16
        package let reach: Reach

        package init(mesh: MeshName?, port: UInt16, reach: Reach) {
            self.mesh = mesh
            self.port = port
            self.reach = reach
        }
    }

    /// Whether a host was ever reached by a tunnel. It only rises: what was reached once is never sent to in clear again.
    package enum Reach: Sendable, Equatable {
        case unknown
        /// It was tried, in vain: traffic goes as it was dialled until it has been reached.
        case closed
        case reached
    }

    package var nodes: [NodeName: Node]
    /// Where hosts that were reached offer, or offered, their services: a host that gossip has lost is still not sent to
    /// in clear.
    package var guarded: [NetworkAddress: GuardedEndpoint]

    package init(nodes: [NodeName: Node] = [:], guarded: [NetworkAddress: GuardedEndpoint] = [:]) {
        self.nodes = nodes
        self.guarded = guarded
    }
}

/// A service of a host that was reached by a tunnel, as it was known last.
package struct GuardedEndpoint: Sendable, Hashable {
    package let node: NodeName
    package let service: ServiceName
    package let tenant: TenantName

    package init(node: NodeName, service: ServiceName, tenant: TenantName) {
        self.node = node
        self.service = service
        self.tenant = tenant
    }
}

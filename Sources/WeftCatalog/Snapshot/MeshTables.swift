package import WeftCore

/// The lookup tables of a snapshot that grow with the mesh.
struct MeshTables: Sendable {
    /// What other hosts offer at their real addresses.
    var byAddress = ShardedTable<NetworkAddress, Claims>()
    /// By virtual address and port.
    var byVirtualAddress = ShardedTable<NetworkAddress, EndpointGroup>()
    /// By name, for people.
    var byName = ShardedTable<ServiceName, MeshService>()

    /// All endpoints at one address and port. More than one where hosts share an address, or where one says that it
    /// listens at an address of another.
    struct Claims: Sendable {
        /// The one that counts.
        private(set) var first: Endpoint
        private var others: [Endpoint] = []

        init(_ first: Endpoint) { self.first = first }

        mutating func add(_ endpoint: Endpoint) {
            others.append(endpoint)
            reorder()
        }

        /// False when nothing is left.
        mutating func remove(_ endpoint: Endpoint) -> Bool {
            if first === endpoint {
                guard let next = others.popLast() else { return false }
                first = next
                reorder()
            } else if let index = others.firstIndex(where: { $0 === endpoint }) {
                others.remove(at: index)
            }
            return true
        }

        /// A host at its own gossip address comes before one that only says that it listens there.
        private mutating func reorder() {
            guard let index = others.indices.min(by: { Self.precedes(others[$0], others[$1]) }),
                Self.precedes(others[index], first)
            else { return }
            swap(&first, &others[index])
        }

        private static func precedes(_ left: Endpoint, _ right: Endpoint) -> Bool {
            if left.hasExplicitAddresses != right.hasExplicitAddresses { return right.hasExplicitAddresses }
            guard left.service == right.service, let leftNode = left.node, let rightNode = right.node else {
                return left.service < right.service
            }
            return leftNode < rightNode
        }
    }
}

/// A service of the mesh, with everything that offers it.
package struct MeshService: Sendable, Equatable {
    package let name: ServiceName
    /// Nil when all virtual addresses are in use.
    package let virtualAddress: VirtualAddress?
    /// By port.
    package let groups: [EndpointGroup]
}

/// Who somebody is in the mesh: `spiffe://MESH/ns/TENANT/sa/SERVICE`, the five-part shape that ztunnel and Envoy's users
/// understand (Istio's SPIFFE identities). A host is `spiffe://MESH/ns/weft/sa/NODE`.
package struct SpiffeID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The namespace of hosts.
    package static let nodeNamespace = "weft"
    /// The namespace of a tenant that is called as the hosts' is (`weft.slice`). No tenant's name has a capital letter, so
    /// nobody else has it.
    private static let namesakeNamespace = "Weft"
    /// SPIFFE-ID section 2.3.
    private static let bytesMax = 2048

    package let mesh: MeshName
    /// The tenant's name, or `weft` for a host; `tenant` and `node` tell.
    package let namespace: String
    /// The service, or the name of a host.
    package let account: String

    /// The identity of what a tenant runs.
    package init(mesh: MeshName, tenant: TenantName, service: ServiceName) {
        self.mesh = mesh
        self.namespace = tenant.text == Self.nodeNamespace ? Self.namesakeNamespace : tenant.text
        self.account = service.text
    }

    /// The identity of a host.
    package init(mesh: MeshName, node: NodeName) {
        self.mesh = mesh
        self.namespace = Self.nodeNamespace
        self.account = node.text
    }

    /// Nil for anything but the exact shape above, with the letters that SPIFFE allows in each part.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.hasPrefix("spiffe://") else { return nil }
        let parts = text.dropFirst("spiffe://".count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1] == "ns", parts[3] == "sa", let mesh = MeshName(String(parts[0])),
            Self.isSegment(parts[2]), Self.isSegment(parts[4])
        else { return nil }
        self.mesh = mesh
        self.namespace = String(parts[2])
        self.account = String(parts[4])
    }

    package var description: String { "spiffe://\(mesh)/ns/\(namespace)/sa/\(account)" }

    /// Nil for a workload.
    package var node: NodeName? { namespace == Self.nodeNamespace ? NodeName(account) : nil }

    /// Nil for a host, and for workloads of other meshes' kinds whose namespace no tenant could have.
    package var tenant: TenantName? {
        switch namespace {
        case Self.nodeNamespace: nil
        case Self.namesakeNamespace: TenantName(Self.nodeNamespace)
        default: TenantName(namespace)
        }
    }

    /// Nil for a host, and for names that no service could have.
    package var service: ServiceName? { namespace == Self.nodeNamespace ? nil : ServiceName(account) }

    package static func < (left: SpiffeID, right: SpiffeID) -> Bool {
        (left.mesh, left.namespace, left.account) < (right.mesh, right.namespace, right.account)
    }

    /// SPIFFE-ID section 2.2: letters, digits, `.`, `-` and `_`, and neither `.` nor `..`.
    private static func isSegment(_ text: Substring) -> Bool {
        guard !text.isEmpty, text != ".", text != ".." else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

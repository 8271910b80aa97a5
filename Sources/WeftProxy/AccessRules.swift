package import WeftCore

/// Who may reach the services of this host: the built-in rules, until the mesh has a document of its own.
///
/// Every identity of the mesh may call, unless the callee's tenant is isolated (then its own tenant only) or the service
/// has a list. Callers without an identity pass where neither applies, unless the host is strict. One pure function
/// answers for tunnels, for plaintext and for calls within the host; the data path and `weft ping` ask the same one.
package struct AccessRules: Sendable, Equatable {
    /// Refuses callers without an identity.
    package var isStrict = false
    package var isolatedTenants: Set<TenantName> = []
    /// Lists by service; a service without one is open to the mesh. An empty list is nobody.
    package var allow: [ServiceName: [AllowedCaller]] = [:]

    package init() {}

    /// Who asks.
    package enum Caller: Sendable, Hashable {
        /// By certificate, or by the kernel's word for a process of this host.
        case identity(SpiffeID)
        /// Plaintext from another host.
        case anonymous
        /// A process of this host, while the host has no mesh to name it in.
        case unnamed
    }

    package enum Verdict: Sendable, Equatable {
        case allowed
        /// Which rule says no, in words that fit behind "denied by".
        case denied(rule: String)
    }

    /// Whether `caller` may reach a service of this host; `service` is nil for a port that no service has.
    package func verdict(on caller: Caller, calling service: ServiceName?, of tenant: TenantName?) -> Verdict {
        if caller == .anonymous, isStrict { return .denied(rule: "strict") }
        if let tenant, isolatedTenants.contains(tenant), !isSameTenant(caller, tenant) {
            return .denied(rule: "isolate of tenant \(tenant)")
        }
        if let service, let list = allow[service], !isListed(caller, list) {
            return .denied(rule: "allow of service \(service)")
        }
        return .allowed
    }

    private func isSameTenant(_ caller: Caller, _ tenant: TenantName) -> Bool {
        if case .identity(let identity) = caller { identity.tenant == tenant } else { false }
    }

    private func isListed(_ caller: Caller, _ list: [AllowedCaller]) -> Bool {
        if case .identity(let identity) = caller { list.contains { $0.matches(identity) } } else { false }
    }
}

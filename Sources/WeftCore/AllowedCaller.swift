/// An entry of a list of callers: a service of one tenant, or, without a tenant, of any: `web`, `shop/web`; or a host
/// itself: `weft/db-1`.
package struct AllowedCaller: Hashable, Sendable, CustomStringConvertible {
    /// The namespace in SPIFFE identities; nil for that of any tenant, and not the hosts'.
    package let namespace: String?
    package let name: String

    package init(namespace: String?, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// Whether this entry means `caller`.
    package func matches(_ caller: SpiffeID) -> Bool {
        guard caller.account == name else { return false }
        guard let namespace else { return caller.namespace != SpiffeID.nodeNamespace }
        return caller.namespace == namespace
    }

    package var description: String { namespace.map { "\($0)/\(name)" } ?? name }
}

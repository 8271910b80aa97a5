internal import WeftCore

/// An identity for people: `api.shop` for a service of a tenant, `host db-1` for a host, `mesh fra1` for the root of a
/// mesh; the whole text for what has another shape. JSON has the whole text always.
func shownIdentity(_ text: String) -> String {
    let scheme = "spiffe://"
    if text.hasPrefix(scheme), let mesh = MeshName(String(text.dropFirst(scheme.utf8.count))) { return "mesh \(mesh)" }
    guard let identity = SpiffeID(text) else { return text }
    if let node = identity.node { return "host \(node)" }
    guard let service = identity.service, let tenant = identity.tenant else { return text }
    return "\(service).\(tenant)"
}

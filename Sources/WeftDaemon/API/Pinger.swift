internal import HTTPTypes
internal import WeftAPI
internal import WeftCatalog
internal import WeftCore
internal import WeftIdentity
internal import WeftProxy
internal import WeftTransport

/// Answers `weft ping`: goes the way that a connection of a local service to another service would go, layer by layer,
/// and says where it ends.
struct Pinger {
    let plane: DataPlane
    let controller: HostController
    let identity: IdentityController
    let reach: ReachBook

    /// For a connect; a tunnel has its own patience.
    private static let timeout = Duration.seconds(5)

    func ping(_ request: PingRequest) async throws -> PingResponse {
        let snapshot = await controller.snapshot
        let source = try await source(named: request.source)
        guard let target = Target(request.destination, in: snapshot) else {
            throw APIFailure(
                .notFound,
                code: "unknown-service",
                text: "the mesh knows no service \(request.destination.prefix(100)), and it is no ADDRESS:PORT",
                next: "weft services"
            )
        }
        var trial = Trial(source: source, target: target)
        await capture(&trial)
        switch target.kind {
        case .local(let tenant): try await local(&trial, tenant)
        case .peer(let node, let tenant): try await peer(&trial, node, tenant)
        case .outside: try await outside(&trial)
        }
        return trial.response
    }

    /// The identity of a service's unit on this host, or the host's own.
    private func source(named name: String?) async throws -> SpiffeID? {
        let host = await identity.host
        guard let name else { return host }
        guard let service = ServiceName(name), let mesh = host?.mesh else {
            throw APIFailure(
                .badRequest,
                code: "bad-source",
                text: "\(name.prefix(100)) is no service's name",
                next: "weft workloads"
            )
        }
        guard let tenant = await controller.tenant(ofCaller: service) else {
            throw APIFailure(
                .notFound,
                code: "unknown-source",
                text: "no unit of this host goes by the name \(service)",
                next: "weft workloads"
            )
        }
        return SpiffeID(mesh: mesh, tenant: tenant, service: service)
    }

    // MARK: Layers

    private func capture(_ trial: inout Trial) async {
        let status = await controller.captureStatus
        switch status.state {
        case .on: trial.good(.capture, "connections of this host pass through weft (scope \(status.scope))")
        case .off: trial.bad(.capture, "capture is off: programs connect without weft", next: "sudo weft on")
        case .failed: trial.bad(.capture, status.error ?? "capture failed", next: "sudo weft check")
        }
    }

    private func local(_ trial: inout Trial, _ tenant: TenantName) async throws {
        trial.good(.reach, "\(trial.target.address) is on this host")
        trial.good(.tls, "not needed: the bytes do not leave the host")
        let rules = await controller.rules
        let caller = trial.source.map(AccessRules.Caller.identity) ?? .unnamed
        switch rules.verdict(on: caller, calling: trial.target.service, of: tenant) {
        case .allowed: trial.good(.policy, "no rule of this host is against it")
        case .denied(let rule):
            return trial.bad(.policy, "denied by \(rule)", next: "sudoedit /etc/weft/weft.toml")
        }
        try await application(&trial)
    }

    private func outside(_ trial: inout Trial) async throws {
        if let ending = try await plane.trial(trial.target.address, timeout: Self.timeout) {
            return trial.bad(
                .reach,
                "\(trial.target.address) did not accept: \(ending.rawValue)",
                next: "nc -vz \(trial.target.address.ip) \(trial.target.address.port)"
            )
        }
        trial.good(.reach, "\(trial.target.address) accepted")
        trial.good(.tls, "none of weft's: the address is no service of the mesh, and is dialled as it is")
        trial.good(.policy, "weft has no rule for it")
        trial.good(.app, "it accepted the connection")
    }

    private func peer(_ trial: inout Trial, _ node: NodeName, _ tenant: TenantName) async throws {
        guard let source = trial.source, let service = trial.target.service, let port = await reach.tunnelPort(of: node)
        else { return try await clear(&trial, node, "host \(node) has no tunnel port that this host knows of") }
        let key = TunnelKey(
            source: source,
            destination: SpiffeID(mesh: source.mesh, tenant: tenant, service: service),
            node: NetworkAddress(trial.target.address.ip, port: port)
        )
        var isCertified = source.node != nil
        if !isCertified { isCertified = await identity.makeLeaf(source) }
        guard isCertified else {
            return trial.bad(.tls, "this host has no certificate for \(source)", next: "weft cert")
        }
        let failure = try await plane.trial(.address(trial.target.address), along: key)
        if let failure, !failure.isPeersWord, await !reach.wasReached(node) {
            return try await clear(&trial, node, "\(failure)")
        }
        tell(failure, &trial, node, key)
    }

    /// What a tunnel said, up to the layer that failed.
    private func tell(_ failure: TunnelFailure?, _ trial: inout Trial, _ node: NodeName, _ key: TunnelKey) {
        let open = "on \(node): sudo nft insert rule inet filter input tcp dport \(key.node.port) accept"
        switch failure {
        case .unreachable?, .timedOut(.connect)?:
            return trial.bad(.reach, "\(key.node) on host \(node): \(failure?.text ?? "")", next: open)
        default: trial.good(.reach, "host \(node) answers at \(key.node)")
        }
        if let failure, !failure.isPeersWord {
            return trial.bad(.tls, failure.text, next: "weft cert")
        }
        trial.good(.tls, "mutual TLS with \(key.destination)")
        if case .denied(let rule, let denier)? = failure {
            let place = denier ?? node.text
            return trial.bad(
                .policy,
                "denied by \(rule ?? "a rule") on \(place)",
                next: "on \(place): sudoedit /etc/weft/weft.toml"
            )
        }
        trial.good(.policy, "no rule of host \(node) is against it")
        guard let failure else { return trial.good(.app, "\(trial.target.address) accepted the connection") }
        trial.bad(.app, "\(trial.target.address): \(failure.text)", next: "on \(node): weft services")
    }

    /// The way to a host that no tunnel reaches.
    private func clear(_ trial: inout Trial, _ node: NodeName, _ reason: String) async throws {
        let address = trial.target.address
        guard let ending = try await plane.trial(address, timeout: Self.timeout) else {
            trial.good(.reach, "\(address) accepted, as dialled")
            return trial.bad(.tls, "the bytes go in clear: \(reason)", next: "weft status")
        }
        trial.bad(
            .reach,
            "\(address) on host \(node) did not accept: \(ending.rawValue)",
            next: "nc -vz \(address.ip) \(address.port)"
        )
    }

    private func application(_ trial: inout Trial) async throws {
        let address = trial.target.address
        guard let ending = try await plane.trial(address, timeout: Self.timeout) else {
            return trial.good(.app, "\(address) accepted the connection")
        }
        trial.bad(.app, "\(address) did not accept: \(ending.rawValue)", next: "ss -lnt 'sport = :\(address.port)'")
    }
}

/// Where a ping goes.
private struct Target {
    enum Kind {
        case local(TenantName)
        case peer(NodeName, TenantName)
        case outside
    }

    let kind: Kind
    let service: ServiceName?
    let address: NetworkAddress

    private init(_ kind: Kind, _ service: ServiceName?, _ address: NetworkAddress) {
        self.kind = kind
        self.service = service
        self.address = address
    }

    private init(_ endpoint: Endpoint, at address: NetworkAddress? = nil) {
        let kind = endpoint.node.map { Kind.peer($0, endpoint.tenant) } ?? .local(endpoint.tenant)
        self.init(kind, endpoint.service, address ?? endpoint.address)
    }

    private init(_ group: EndpointGroup) {
        self.init(group.endpoints.first(where: \.isHealthy) ?? group.endpoints[0])
    }

    /// A service's name, or an address with a port.
    init?(_ text: String, in snapshot: MeshSnapshot) {
        if let name = ServiceName(text), let group = snapshot.service(named: name)?.groups.first {
            self.init(group)
            return
        }
        guard let address = NetworkAddress(text) else { return nil }
        switch snapshot.locate(address) {
        case .virtual(let group): self.init(group)
        case .endpoint(let endpoint): self.init(endpoint, at: address)
        case .local(let service): self.init(.local(service.tenant), service.name, address)
        case .outside: self.init(.outside, nil, address)
        }
    }
}

/// A ping on its way.
private struct Trial {
    let source: SpiffeID?
    let target: Target
    private var steps: [PingResponse.Step] = []
    private var last = ContinuousClock.now

    init(source: SpiffeID?, target: Target) {
        self.source = source
        self.target = target
    }

    mutating func good(_ layer: PingResponse.Layer, _ text: String) { add(layer, true, text, nil) }

    mutating func bad(_ layer: PingResponse.Layer, _ text: String, next: String) { add(layer, false, text, next) }

    private mutating func add(_ layer: PingResponse.Layer, _ isGood: Bool, _ text: String, _ next: String?) {
        let now = ContinuousClock.now
        steps.append(
            .init(
                layer: layer,
                isGood: isGood,
                text: text,
                next: next,
                milliseconds: ((now - last).inSeconds * 10_000).rounded() / 10
            )
        )
        last = now
    }

    var response: PingResponse {
        PingResponse(
            source: source?.description ?? "host",
            destination: target.service.map { "\($0) at \(target.address)" } ?? "\(target.address)",
            steps: steps
        )
    }
}

extension TunnelFailure {
    fileprivate var text: String { "\(self)" }
}

internal import WeftAPI
internal import WeftCatalog
internal import WeftCore
internal import WeftGossip
internal import WeftTransport

/// What the API can ask.
extension MeshController {
    /// Everybody who is known, this host first.
    func peers() async throws -> [PeerRow] {
        guard let gossip else { return [] }
        let (members, now) = try await gossip.members()
        let own = MemberName(name.text)
        return members.map { PeerRow($0, now: now, isSelf: $0.name == own) }
            .sorted { ($0.isSelf ? 0 : 1, $0.name) < ($1.isSelf ? 0 : 1, $1.name) }
    }

    /// Hosts that are alive and hosts that failed; without gossip this host is alone.
    func counts() async throws -> (alive: Int, failed: Int) {
        guard let gossip else { return (1, 0) }
        let members = try await gossip.report().gauges.members
        return (members[.alive, default: 0] + members[.suspect, default: 0], members[.failed, default: 0])
    }

    /// Estimated round-trip times to the other hosts that answer.
    func distances() async throws -> [NodeName: Duration] {
        guard let gossip else { return [:] }
        let members = try await gossip.members().members.filter { $0.state == .alive }
        let pairs = members.compactMap { member in
            NodeName("\(member.name)").flatMap { name in member.roundTrip.map { (name, $0) } }
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// The address by which the mesh knows this host.
    var address: IPAddress? { gossip == nil ? nil : ownAddress }

    var catalogueReport: CatalogueReport {
        CatalogueReport(records: catalogue.recordCount, endpoints: catalogue.endpoints.count, refusals: refusals)
    }

    func gossipReport() async throws -> GossipReport? { try await gossip?.report() }

    /// What is wrong in the mesh, as this host sees it.
    func problems() async throws -> [Problem] {
        var problems: [Problem] = []
        if let failure {
            problems.append(Problem(code: failure.code, severity: .error, text: failure.text, next: failure.next))
        }
        guard let gossip, try await counts().failed > 0 else { return problems }
        let failed = try await gossip.members().members.filter { $0.state == .failed }.map { "\($0.name)" }
        let named = failed.prefix(5).joined(separator: ", ") + (failed.count > 5 ? ", ..." : "")
        problems.append(
            Problem(
                code: "peer-failed",
                severity: .warning,
                text: failed.count == 1
                    ? "host \(named) does not answer" : "\(failed.count) hosts do not answer: \(named)",
                next: "weft peers --state failed"
            )
        )
        return problems
    }
}

/// The catalogue in numbers.
struct CatalogueReport: Sendable {
    /// Of other hosts, tombstones included.
    let records: Int
    /// Of other hosts, in routing.
    let endpoints: Int
    /// Statements that were not believed, by reason.
    let refusals: [String: UInt64]
}

extension PeerRow {
    fileprivate init(_ member: Member, now: Instant, isSelf: Bool) {
        let tags = Dictionary(member.tags.sorted.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        self.init(
            name: "\(member.name)",
            address: member.address.description,
            state: State(member.state),
            rttMilliseconds: isSelf ? nil : member.roundTrip.map { $0.inSeconds * 1000 },
            tags: tags,
            kind: member.kind == .weft ? .weft : .serf,
            version: tags["weft-version"],
            sinceSeconds: (now - member.since).inSeconds,
            isSelf: isSelf
        )
    }
}

extension PeerRow.State {
    /// A host that is leaving has not left yet, and answers.
    fileprivate init(_ state: Member.State) {
        switch state {
        case .alive, .leaving: self = .alive
        case .suspect: self = .suspect
        case .failed: self = .failed
        case .left: self = .left
        }
    }
}

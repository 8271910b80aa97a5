internal import Logging
internal import WeftCatalog
internal import WeftCore
internal import WeftGossip
internal import WeftTransport

/// Following the mesh: who comes and goes, and what they say of their services.
extension MeshController {
    /// Reads what gossip tells until it ends.
    func follow(_ gossip: Gossip) async {
        for await batch in gossip.notices {
            guard !Task.isCancelled else { return }
            var changes: [CatalogueChange] = []
            if batch.isAfterGap { changes += await resynchronise(gossip) }
            for notice in batch.notices {
                changes += take(notice, at: batch.time)
                await passToIdentity(notice)
            }
            catalogueChanged()
            await apply(changes)
        }
    }

    /// Everything that has to happen when the catalogue may have changed: the digest for the next exchange, the next tick.
    func catalogueChanged() {
        gossip?.setSection(catalogue.digest())
        scheduleTick()
    }

    func send(_ events: [CatalogueEvent]) {
        guard let gossip, !events.isEmpty else { return }
        Task {
            for event in events {
                do {
                    try await gossip.sendUserEvent(name: event.name, payload: event.payload, coalesce: false)
                } catch {
                    // What events do not bring, the comparison of digests does.
                    logger.debug("a catalogue event was not sent", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func send(_ payloads: [[UInt8]], to name: MemberName) {
        guard let gossip, !payloads.isEmpty else { return }
        Task {
            for payload in payloads {
                // A host that has gone meanwhile needs nothing.
                try? await gossip.sendDirect(payload, to: name)
            }
        }
    }

    // MARK: Notices

    private func passToIdentity(_ notice: GossipNotice) async {
        switch notice {
        case .direct(let payload, let name) where TrustPayload.isOne(payload):
            guard let node = NodeName("\(name)") else { return }
            await identity?.trustReceived(payload, from: node)
        case .keys(let changed): await keysChanged(changed)
        default: break
        }
    }

    private func take(_ notice: GossipNotice, at time: Instant) -> [CatalogueChange] {
        let moment = Moment(monotonic: time, wall: .now())
        switch notice {
        case .memberChanged(let change):
            return [memberChanged(change, at: moment)]
        case .userEvent(let event) where event.name.hasPrefix(UserEvent.weftPrefix):
            guard !event.isOwn else { return [] }
            return merge(event.payload, from: nil, at: moment)
        case .userEvent(let event):
            events.append(kind: .user, time: moment.wall, node: nil, name: event.name, payload: event.payload)
        case .query(let query):
            events.append(
                kind: .query,
                time: moment.wall,
                node: "\(query.source)",
                name: query.name,
                payload: query.payload
            )
        case .section(let digest, let name):
            compare(digest, from: name, at: moment)
        case .direct(let payload, let name) where !TrustPayload.isOne(payload):
            return merge(payload, from: name, at: moment)
        case .direct: break
        case .keys:
            events.append(kind: .keys, time: moment.wall, node: name.text)
        case .nameConflictLost:
            failure = Failure(
                code: "name-conflict",
                text: "another host of the mesh is called \(name) too, and the mesh sides with it",
                next: "set name in [node] of /etc/weft/weft.toml, then sudo systemctl restart weftd"
            )
            logger.error("gossip stopped: another host has this one's name", metadata: ["name": "\(name)"])
            Task { await end() }
        }
        return []
    }

    private func memberChanged(_ change: MemberChange, at moment: Moment) -> CatalogueChange {
        let member = change.member
        // That it seems to go matters to routing; people are told once it has gone.
        if let kind = EventLog.Kind(change.kind), member.name != MemberName(name.text) || change.kind != .joined {
            events.append(kind: kind, time: moment.wall, node: "\(member.name)")
            logger.info("peer", metadata: ["name": "\(member.name)", "change": "\(change.kind.rawValue)"])
        }
        scheduleSave()
        if change.kind == .reaped { forgetMember(member.name) } else { note(member) }
        guard let node = NodeName("\(member.name)"), member.kind == .weft else { return CatalogueChange() }
        if change.kind == .reaped { return catalogue.forget(node) }
        return catalogue.nodeStateChanged(
            node,
            to: NodeState(member),
            address: member.address.ip,
            now: moment.monotonic
        )
    }

    /// After lost notices: every member anew.
    private func resynchronise(_ gossip: Gossip) async -> [CatalogueChange] {
        // A core that has stopped has nobody left to tell of.
        guard let (members, now) = try? await gossip.members() else { return [] }
        note(members)
        return members.compactMap { member in
            guard member.kind == .weft, let node = NodeName("\(member.name)") else { return nil }
            return catalogue.nodeStateChanged(
                node,
                to: NodeState(member),
                address: member.address.ip,
                now: now
            )
        }
    }

    // MARK: Catalogue

    private func merge(_ payload: [UInt8], from name: MemberName?, at moment: Moment) -> [CatalogueChange] {
        do {
            let change = try catalogue.merge(payload, now: moment)
            for (reason, count) in change.refused { refusals[reason.rawValue, default: 0] += UInt64(count) }
            if let name { send(change.answers, to: name) }
            send(change.events)
            return [change]
        } catch {
            refusals["malformed", default: 0] += 1
            logger.debug("a catalogue payload was dropped", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func compare(_ digest: [UInt8], from name: MemberName, at moment: Moment) {
        do {
            let comparison = try catalogue.digestReceived(digest, now: moment)
            send(comparison.missing, to: name)
            send(comparison.events)
            if comparison.refusedCount > 0 {
                refusals[CatalogueRefusal.futureVersion.rawValue, default: 0] += UInt64(comparison.refusedCount)
            }
        } catch {
            refusals["malformed", default: 0] += 1
            logger.debug("a digest was dropped", metadata: ["error": "\(error)"])
        }
    }

    /// Gives the data path what changed, and the event log what people want to know.
    private func apply(_ changes: [CatalogueChange]) async {
        let routing = changes.filter { !$0.keepsRouting }
        guard !routing.isEmpty else { return }
        for change in routing { log(change) }
        await host.follow(routing)
    }

    private func log(_ change: CatalogueChange) {
        func id(_ endpoint: Endpoint) -> String { "\(endpoint.node?.text ?? "") \(endpoint.service):\(endpoint.port)" }
        let added = Set(change.added.map(id))
        let removed = Set(change.removed.map(id))
        for endpoint in change.removed where !added.contains(id(endpoint)) { log(.serviceRemoved, endpoint) }
        for endpoint in change.added {
            log(removed.contains(id(endpoint)) ? .serviceChanged : .serviceAdded, endpoint)
        }
    }

    private func log(_ kind: EventLog.Kind, _ endpoint: Endpoint) {
        events.append(
            kind: kind,
            time: .now(),
            node: endpoint.node?.text,
            name: endpoint.service.text,
            payload: Array(endpoint.address.description.utf8)
        )
    }

    // MARK: Later

    private func scheduleTick() {
        ticker?.cancel()
        guard gossip != nil, let due = catalogue.nextTick else { return }
        ticker = Task {
            do {
                try await Task.sleep(for: due - Instant.now())
            } catch {
                return  // Another time took the place of this one.
            }
            await tick()
        }
    }

    private func tick() async {
        guard let gossip else { return }
        let tick = catalogue.tick(.now())
        send(tick.events)
        for request in tick.requests { await ask(request, gossip) }
        catalogueChanged()
    }

    /// The host itself first; when it does not answer, somebody else who may know.
    private func ask(_ request: CatalogueRequest, _ gossip: Gossip) async {
        let about = MemberName(request.about.text)
        guard request.attempt > 0 else {
            try? await gossip.sendDirect(request.payload, to: about)  // Asked again if nothing comes of it.
            return
        }
        guard let members = try? await gossip.members().members else { return }
        let others = members.filter {
            $0.state == .alive && $0.kind == .weft && $0.name != MemberName(name.text)
        }
        guard let chosen = others.randomElement() else { return }
        try? await gossip.sendDirect(request.payload, to: chosen.name)
    }

    /// Changes come in swarms, and a file for each of them would be too many.
    private func scheduleSave() {
        guard saver == nil else { return }
        saver = Task {
            do { try await Task.sleep(for: Self.saveDelay) } catch { return }  // Cancelled: saved by whoever did it.
            saver = nil
            await save()
        }
    }

    private static var saveDelay: Duration { .seconds(2) }

    func save() async {
        guard let gossip else { return }
        do {
            try memory.save(try await gossip.snapshot())
        } catch {
            logger.warning("the peers were not saved", metadata: ["error": "\(error)"])
        }
    }
}

extension NodeState {
    init(_ member: Member) {
        switch member.state {
        case .alive, .suspect: self = member.isAvailable ? .alive : .unavailable
        case .leaving: self = .unavailable
        case .failed: self = .failed
        case .left: self = .left
        }
    }
}

extension EventLog.Kind {
    /// Nil for what is nobody's news.
    init?(_ kind: MemberChange.Kind) {
        switch kind {
        case .joined: self = .peerJoined
        case .updated: self = .peerUpdated
        case .availability: return nil
        case .failed: self = .peerFailed
        case .left: self = .peerLeft
        case .reaped: self = .peerRemoved
        }
    }
}

internal import Logging
internal import WeftAPI
internal import WeftConfig
internal import WeftCore
internal import WeftGossip
internal import WeftTransport

/// What the pool and this host's identity have to do with each other: tags, keys, trust bundles, and who the members are.
extension MeshController: MeshLink {
    // MARK: What the identity wants

    func identityChanged() async {
        termsAreNew = true
        guard !isTakingTerms else { return }
        isTakingTerms = true
        defer { isTakingTerms = false }
        while termsAreNew, let gossip, let identity {
            termsAreNew = false
            await take(await identity.poolTerms(), gossip)
        }
    }

    private func take(_ terms: PoolTerms, _ gossip: Gossip) async {
        guard terms != self.terms else { return }
        do {
            // Keys first: a tag that shows a mode is true when others see it.
            if settings.keyFile == nil, (terms.keys, terms.mode) != (self.terms.keys, self.terms.mode) {
                try await gossip.setEncryption(keys: terms.keys, mode: EncryptionMode(terms.mode))
            }
            try await gossip.setTags(tags(with: terms))
            self.terms = terms
        } catch {
            logger.warning("the identity's tags were not set", metadata: ["error": "\(error)"])
        }
    }

    /// All of this host's tags.
    func tags(with terms: PoolTerms) -> Tags {
        var tags: Tags = ["weft": "1", "weft-version": weftVersion]
        for (name, value) in terms.tags { tags[name] = value }
        return tags
    }

    func sendIdentity(_ payload: [UInt8], to node: NodeName) async {
        do {
            try await gossip?.sendDirect(payload, to: MemberName(node.text))
        } catch {
            logger.debug("trust not sent", metadata: ["name": "\(node)", "error": "\(error)"])
        }
    }

    func move(to hosts: [PeerAddress]) async throws -> PoolMove {
        guard settings.enabled else { throw APIFailure.gossipOff }
        if gossip != nil, isInPool(of: hosts) {
            await identityChanged()
        } else {
            try await beginAnew()
        }
        let attempts = try await join(hosts)
        await save()
        let failures = attempts.compactMap { attempt in attempt.error.map { "\(attempt.address): \($0)" } }
        return PoolMove(
            alive: try await counts().alive,
            failures: failures.count < attempts.count ? [] : failures
        )
    }

    /// Whether one of the hosts is a member that is alive: it takes the new tags and keys as they come.
    private func isInPool(of hosts: [PeerAddress]) -> Bool {
        let addresses = Set(
            hosts.compactMap { peer -> IPAddress? in
                if case .ip(let ip) = peer.host { ip } else { nil }
            }
        )
        return table.values.contains { !$0.isSelf && $0.isAlive && addresses.contains($0.address) }
    }

    /// Leaves the pool, forgets it, and begins as a pool of one with the identity's keys.
    private func beginAnew() async throws {
        if table.values.contains(where: { !$0.isSelf && $0.isAlive }) {
            await leaveMesh()
        } else {
            await end()
        }
        do {
            try memory.save(GossipSnapshot())
        } catch {
            logger.warning("the peers were not forgotten", metadata: ["error": "\(error)"])
        }
        try await begin(nil)
    }

    /// Leaves for good, as opposed to a restart: others see by the missing tag that this host is an ordinary one again.
    func leaveMesh() async {
        do {
            try await gossip?.setTags(tags(with: PoolTerms()))
            // The farewell takes the place of whatever else is said of this host and has not been sent by then.
            try await Task.sleep(for: Self.farewellDelay)
        } catch {
            logger.debug("tags not taken back", metadata: ["error": "\(error)"])
        }
        await leave()
    }

    /// A round of gossip and some more.
    private static var farewellDelay: Duration { .milliseconds(300) }

    // MARK: What the pool tells

    /// All weft hosts of the pool but this one, at each change; called on no particular thread, in order.
    func setPeersListener(_ listener: @escaping @Sendable ([MeshPeer]) -> Void) {
        peersListener = listener
        tellMembers()
    }

    /// Notes a member as it is now.
    func note(_ member: Member) {
        table[member.name] = MeshMember(member, isSelf: member.name == MemberName(name.text))
        scheduleTelling()
    }

    func forgetMember(_ name: MemberName) {
        table[name] = nil
        scheduleTelling()
    }

    /// Members as they are now, in the place of all that were known.
    func note(_ members: [Member]) {
        let own = MemberName(name.text)
        table = Dictionary(
            members.map { ($0.name, MeshMember($0, isSelf: $0.name == own)) },
            uniquingKeysWith: { $1 }
        )
        scheduleTelling()
    }

    /// Changes come in swarms.
    private func scheduleTelling() {
        guard teller == nil else { return }
        teller = Task {
            // Cancelled by nobody.
            try? await Task.sleep(for: Self.tellDelay)
            teller = nil
            tellMembers()
        }
    }

    private static var tellDelay: Duration { .milliseconds(20) }

    func tellMembers() {
        let members = table.values.sorted { $0.name < $1.name }
        peersListener?(members.filter { !$0.isSelf }.compactMap { MeshPeer($0) })
        guard let identity else { return }
        latestMembers = members
        guard !isTellingIdentity else { return }
        isTellingIdentity = true
        Task {
            while let latest = latestMembers {
                latestMembers = nil
                await identity.membersChanged(latest)
            }
            isTellingIdentity = false
        }
    }

    /// Keys that were changed by this host's or another's wish.
    func keysChanged(_ changed: [[UInt8]]) async {
        do {
            if settings.keyFile != nil {
                try keys.save(changed)
                await identity?.poolKeysRead(changed)
            } else {
                try await identity?.poolKeysChanged(changed)
            }
        } catch {
            logger.error("changed gossip keys were not saved", metadata: ["error": "\(error)"])
        }
    }
}

extension MeshMember {
    init(_ member: Member, isSelf: Bool) {
        let state: MeshPeer.State =
            switch member.state {
            case .alive, .suspect, .leaving: .alive
            case .failed: .failed
            case .left: .left
            }
        self.init(
            name: "\(member.name)",
            address: member.address.ip,
            state: state,
            isSelf: isSelf,
            isWeft: member.kind == .weft,
            tags: IdentityTags { member.tags[$0] }
        )
    }
}

extension EncryptionMode {
    init(_ mode: PoolMode) {
        self =
            switch mode {
            case .have: .have
            case .send: .send
            case .only: .only
            }
    }
}

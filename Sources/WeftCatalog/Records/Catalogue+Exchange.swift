package import WeftCore

/// Anti-entropy: finding out what is missing, here and there, and filling it.
extension Catalogue {
    /// Bytes of a digest: every host with the longest of names.
    package static let digestBytesMax = 4 << 20
    /// Bytes that one digest may cause to be sent. What is left over goes out in the next round.
    static let missingBytesMax = 4 << 20

    /// Compares a peer's digest, as it came in push/pull, with what is known here.
    package mutating func digestReceived(_ digest: [UInt8], now: Moment) throws(CatalogueError) -> DigestComparison {
        let blocks = try CatalogueBlock.blocks(in: digest, bytesMax: Self.digestBytesMax)
        var theirs: [NodeName: RecordSummary] = [:]
        for case .digest(let hosts) in blocks { theirs.merge(hosts) { max($0, $1) } }
        let limit = RecordVersion.limit(at: now.wall)
        var result = DigestComparison()
        for (node, summary) in theirs where summary.version > limit {
            theirs[node] = nil
            result.refusedCount += 1
        }
        if let summary = theirs[own] { compared(summary) }
        result.events = passIfDue(now.monotonic)
        result.missing = missing(theirs)
        result.wanted = theirs.filter { node, summary in
            node != own && (nodes[node]?.records.summary ?? .nothing).version < summary.version
        }.keys.sorted()
        expect(result.wanted, theirs, now: now.monotonic)
        return result
    }

    /// The peer sends what is wanted by itself, unless to it this host is still gone: then it has to be asked for.
    private mutating func expect(
        _ wanted: [NodeName],
        _ theirs: [NodeName: RecordSummary],
        now: Instant
    ) {
        for node in wanted.prefix(Self.expectedMax) where gaps[node] == nil {
            guard let summary = theirs[node], nodes[node]?.state.isRouted == true else { continue }
            gaps[node] = Gap(announced: summary, due: now + patience(for: node))
        }
    }

    /// What somebody with these summaries lacks, for direct messages.
    private func missing(_ theirs: [NodeName: RecordSummary]) -> [[UInt8]] {
        func isBehind(_ node: NodeName, _ summary: RecordSummary) -> Bool {
            let known = theirs[node] ?? .nothing
            return known.version < summary.version || known.version == summary.version && known.hash != summary.hash
        }
        var packer = PayloadPacker(limit: Self.payloadBytesMax)
        if isBehind(own, ownRecords.summary) { add(own, to: &packer) }
        let behind = nodes.filter { $0.value.state.isRouted && isBehind($0.key, $0.value.records.summary) }
        for node in behind.keys.sorted() {
            guard packer.bytes < Self.missingBytesMax else { break }
            add(node, to: &packer)
        }
        return packer.payloads
    }

    /// The whole state of one host; nothing when the asker has all of it.
    func answer(_ node: NodeName, to summary: RecordSummary) -> [[UInt8]] {
        guard let known = self[node],
            known.version > summary.version || known.version == summary.version && known != summary
        else { return [] }
        var packer = PayloadPacker(limit: Self.payloadBytesMax)
        add(node, to: &packer)
        return packer.payloads
    }

    /// The seal goes first: an entry at or below it is then judged by what the sender has, not by what was here.
    private func add(_ node: NodeName, to packer: inout PayloadPacker) {
        let known = node == own ? ownRecords : nodes[node]?.records
        guard let records = known else { return }
        let announced = node == own ? ownRecords.summary : nodes[node]?.announced ?? .nothing
        if records.floor > 0 {
            packer.add(.seal(.init(node: node, floor: records.floor, marks: records.marksBelowFloor)))
        }
        packer.add(records.sortedEntries, of: node, announced: announced, floor: records.floor)
    }

    // MARK: Asking

    /// Hosts that are asked for after one digest. For what is more, the next digest has to do.
    static let expectedMax = 64

    /// How long a change that was announced may take to come by itself, before its host is asked.
    static let patience = Duration.milliseconds(400)
    /// Added to it, different for each pair of hosts, so that not all ask at once.
    static let patienceSpreadMilliseconds: UInt64 = 800
    /// Questions about one announcement; afterwards push/pull has to do.
    static let attemptsMax = 6

    /// Compares what is known of a host with what it has announced, and notes a gap or its end.
    mutating func settle(_ node: NodeName, now: Instant) {
        guard let known = nodes[node] else { return }
        if known.records.summary == known.announced {
            nodes[node]?.records.confirm()
            recordCount += (nodes[node]?.records.entries.count ?? 0) - known.records.entries.count
            // A digest may know of more than has been announced.
            if let gap = gaps[node], gap.announced.version <= known.records.version { gaps[node] = nil }
        } else if known.state.isRouted, known.records.version <= known.announced.version {
            guard gaps[node]?.announced != known.announced else { return }
            let due = min(now + patience(for: node), gaps[node]?.due ?? Instant(nanoseconds: .max))
            gaps[node] = Gap(announced: known.announced, due: due)
        } else {
            gaps[node] = nil
        }
    }

    private func patience(for node: NodeName) -> Duration {
        let spread = StableHash(own.text.utf8 + [0] + node.text.utf8, purpose: 10).value
        return Self.patience + .milliseconds(Int64(spread % Self.patienceSpreadMilliseconds))
    }

    /// When `tick` is due next; nil while there is nothing to wait for.
    package var nextTick: Instant? {
        let pass = versionToPass.map { _ in lastPass.map { $0 + Self.passInterval } ?? Instant(nanoseconds: 0) }
        return [gaps.values.map(\.due).min(), pass, nextReaping].compactMap { $0 }.min()
    }

    /// Does what is due: questions for what is missing, a jump past versions from elsewhere, forgetting the dead.
    package mutating func tick(_ now: Instant) -> CatalogueTick {
        reapIfDue(now)
        var tick = CatalogueTick(requests: [], events: passIfDue(now))
        for node in gaps.filter({ $0.value.due <= now }).keys.sorted() {
            guard var gap = gaps[node] else { continue }
            guard gap.attempts < Self.attemptsMax else {
                gaps[node] = nil
                continue
            }
            let known = nodes[node]?.records.summary ?? .nothing
            let block = CatalogueBlock.request(.init(node: node, known: known, announced: gap.announced))
            let payload = [CatalogueBlock.format] + block.encoded
            tick.requests.append(CatalogueRequest(about: node, attempt: gap.attempts, payload: payload))
            // 1, 2, 4, ... seconds for the answer.
            gap.due = now + .seconds(1 << gap.attempts)
            gap.attempts += 1
            gaps[node] = gap
        }
        return tick
    }
}

/// What a peer's digest says.
package struct DigestComparison: Sendable, Equatable {
    /// What the peer lacks: direct messages for it, in this order.
    package var missing: [[UInt8]] = []
    /// Hosts of which the peer has more, sorted. It sends that by itself, as it gets a digest in the same exchange.
    package var wanted: [NodeName] = []
    /// To be sent to everybody.
    package var events: [CatalogueEvent] = []
    /// Hosts whose version is too far ahead of this host's clock.
    package var refusedCount = 0

    package init() {}
}

/// A question to send as a direct message: first to the host that it is about, later to any other.
package struct CatalogueRequest: Sendable, Equatable {
    package let about: NodeName
    /// 0 for the first question.
    package let attempt: Int
    package let payload: [UInt8]
}

/// What is due at a time.
package struct CatalogueTick: Sendable, Equatable {
    package var requests: [CatalogueRequest]
    /// To be sent to everybody.
    package var events: [CatalogueEvent]
}

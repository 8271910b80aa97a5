internal import WeftCore

/// What others say.
extension Catalogue {
    /// Bytes of a payload, in events and direct messages.
    package static let payloadBytesMax = 64 << 10
    /// Questions in one payload that are answered.
    static let requestsMax = 16

    /// Takes the payload of a `weft:` event or of a direct message. Throws when it is malformed, and is then unchanged.
    package mutating func merge(_ payload: [UInt8], now: Moment) throws(CatalogueError) -> CatalogueChange {
        let blocks = try CatalogueBlock.blocks(in: payload, bytesMax: Self.payloadBytesMax)
        var merging = Merging(limit: RecordVersion.limit(at: now.wall), time: now.monotonic)
        for block in blocks { take(block, &merging) }
        for node in merging.touched.keys.sorted() {
            route(node, keys: merging.touched[node] ?? [], into: &merging.change)
            settle(node, now: now.monotonic)
        }
        if !merging.touched.isEmpty { digestChanged() }
        merging.change.events += passIfDue(now.monotonic)
        return merging.change
    }

    /// What one payload has done so far.
    struct Merging {
        /// The greatest version that is believed.
        let limit: UInt64
        let time: Instant
        /// Keys that may have changed.
        var touched: [NodeName: Set<ServiceRecord.Key>] = [:]
        var change = CatalogueChange()
        var requests = 0
    }

    private mutating func take(_ block: CatalogueBlock, _ merging: inout Merging) {
        switch block {
        case .records(let records): take(records, &merging)
        case .seal(let seal): take(seal, &merging)
        case .request(let request):
            merging.requests += 1
            guard merging.requests <= Self.requestsMax else { return merging.change.refuse(.tooManyRequests) }
            if request.node == own {
                if request.announced.version <= merging.limit { heardOfOwn(request.announced) }
                if request.known.version <= merging.limit { compared(request.known) }
            }
            merging.change.answers += answer(request.node, to: request.known)
        case .digest: merging.change.refuse(.misplacedDigest)
        }
    }

    private mutating func take(_ records: CatalogueBlock.Records, _ merging: inout Merging) {
        let believed = records.entries.filter { $0.version <= merging.limit }
        for _ in believed.count..<records.entries.count { merging.change.refuse(.futureVersion) }
        var announced = records.announced
        if announced.version > merging.limit {
            merging.change.refuse(.futureVersion)
            announced = .nothing
        }
        if records.node == own {
            heardOfOwn(announced)
            if let newest = believed.map(\.version).max(), newest > ownRecords.version {
                heardOfOwn(RecordSummary(version: newest, hash: 0))
            }
            return
        }
        guard admit(records.node, &merging) else { return }
        var keys = merging.touched[records.node] ?? []
        for entry in believed {
            guard recordCount < Self.recordsMax else {
                merging.change.refuse(.tooManyRecords)
                continue
            }
            let isChanged = change(records.node) { $0.merge(entry, ofFloor: min(records.floor, merging.limit)) }
            if isChanged { keys.insert(entry.content.key) }
        }
        merging.touched[records.node] = keys
        if let known = nodes[records.node]?.announced, known < announced { nodes[records.node]?.announced = announced }
    }

    private mutating func take(_ seal: CatalogueBlock.Seal, _ merging: inout Merging) {
        guard seal.floor <= merging.limit else { return merging.change.refuse(.futureVersion) }
        guard seal.node != own else {
            if seal.floor > ownRecords.version { heardOfOwn(RecordSummary(version: seal.floor, hash: 0)) }
            return
        }
        guard admit(seal.node, &merging) else { return }
        let gone = change(seal.node) { $0.raiseFloor(to: seal.floor, keeping: seal.marks) }
        merging.touched[seal.node, default: []].formUnion(gone)
    }

    /// Changes a known host's records and keeps count.
    private mutating func change<Result>(_ node: NodeName, _ body: (inout NodeRecords) -> Result) -> Result {
        guard let before = nodes[node]?.records.entries.count else {
            preconditionFailure("\(node) was not admitted")
        }
        defer { recordCount += (nodes[node]?.records.entries.count ?? 0) - before }
        return body(&nodes[node, default: Node(since: Instant(nanoseconds: 0))].records)
    }

    /// Makes room for a host that is not known; false when there is none.
    private mutating func admit(_ node: NodeName, _ merging: inout Merging) -> Bool {
        if nodes[node] != nil { return true }
        if strangerCount >= Self.strangersMax { forgetOldestStranger() }
        guard nodes.count < Self.nodesMax else {
            merging.change.refuse(.tooManyNodes)
            return false
        }
        nodes[node] = Node(since: merging.time)
        strangerCount += 1
        scheduleReaping(merging.time)
        return true
    }

    private mutating func forgetOldestStranger() {
        let strangers = nodes.lazy.filter { $0.value.state == .unknown }
        let oldest = strangers.min { ($0.value.since, $0.key) < ($1.value.since, $1.key) }
        if let oldest { remove(oldest.key) }
    }

    /// Brings routing in line with a host's records at these keys.
    mutating func route(_ node: NodeName, keys: some Collection<ServiceRecord.Key>, into change: inout CatalogueChange)
    {
        guard let known = nodes[node] else { return }
        let address = known.state.isRouted ? known.address : nil
        for key in keys.sorted() {
            let record = known.records.entries[key]?.content.record
            let after = address.flatMap { address in
                record.flatMap { Endpoint($0, on: node, gossipAddress: address) }
            }
            let before = known.endpoints[key]
            guard before != after else { continue }
            if let before { change.removed.append(before) }
            if let after { change.added.append(after) }
            nodes[node]?.endpoints[key] = after
        }
    }
}

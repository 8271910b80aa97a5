internal import WeftCore

/// Puts blocks into as few payloads as their limit allows, in order.
struct PayloadPacker {
    /// Bytes of one payload.
    let limit: Int
    private(set) var payloads: [[UInt8]] = []

    init(limit: Int) { self.limit = limit }

    /// Bytes of all payloads so far.
    var bytes: Int { payloads.reduce(0) { $0 + $1.count } }

    /// False when no payload has room for the block, even alone.
    @discardableResult
    mutating func add(_ block: CatalogueBlock) -> Bool { add(encoded: block.encoded) }

    /// Adds a host's entries in as many blocks as they take. False when one of them is too long by itself; the others
    /// are added.
    @discardableResult
    mutating func add(
        _ entries: [NodeRecords.Entry],
        of node: NodeName,
        announced: RecordSummary,
        floor: UInt64
    ) -> Bool {
        func block(_ entries: [NodeRecords.Entry]) -> CatalogueBlock {
            .records(.init(node: node, announced: announced, floor: floor, entries: entries))
        }
        var addedAll = true
        var pending: [NodeRecords.Entry] = []
        var bytes = 0
        let base = entries.map(\.version).max() ?? 0
        // Lengths are computed with the base of all, which is at least as far away as the block's own.
        let head =
            CatalogueBlock.Records(node: node, announced: announced, floor: floor, entries: [])
            .head(base: base).count + Self.frameBytes
        for entry in entries {
            let more = CatalogueBlock.Records.encoded(entry, base: base).count
            if !pending.isEmpty, head + bytes + more > limit {
                addedAll = add(block(pending)) && addedAll
                (pending, bytes) = ([], 0)
            }
            pending.append(entry)
            bytes += more
        }
        return add(block(pending)) && addedAll
    }

    /// The format byte, a block's kind and the longest length that a payload of 64 KiB needs.
    private static let frameBytes = 5

    private mutating func add(encoded: [UInt8]) -> Bool {
        guard encoded.count + 1 <= limit else { return false }
        if let last = payloads.indices.last, payloads[last].count + encoded.count <= limit {
            payloads[last] += encoded
        } else {
            payloads.append([CatalogueBlock.format] + encoded)
        }
        return true
    }
}

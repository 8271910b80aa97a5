internal import WeftCore

/// What this host says of its own services. It is the only one to say it: its records are never merged from others.
extension Catalogue {
    /// Beyond this many events a change is announced only, and the others ask for it.
    static let eventsMax = 16
    /// How long to wait between two jumps past versions that others have of this host. Two hosts with one name would
    /// otherwise drive each other up as fast as events travel.
    static let passInterval = Duration.seconds(10)

    /// Replaces what this host says of its services. Returns the events that tell the others; none when nothing changed.
    ///
    /// At most `NodeRecords.servicesMax` records, the first in order; of several with one key the first.
    package mutating func publish(_ records: [ServiceRecord]) -> [CatalogueEvent] {
        let wanted = Dictionary(records.map { ($0.key, $0) }) { first, _ in first }
        let chosen = wanted.sorted { $0.key < $1.key }.prefix(NodeRecords.servicesMax)
        unpublishedCount = wanted.count - chosen.count
        let known = ownRecords.entries
        let changed = chosen.map { RecordContent.live($0.value) }.filter { content in
            known[content.key]?.content.encoded != content.encoded
        }
        let keys = Set(chosen.map(\.key))
        let removed = known.keys.filter { !keys.contains($0) }.sorted().map(RecordContent.removed)
        guard !changed.isEmpty || !removed.isEmpty || !hasPublished else { return [] }
        hasPublished = true
        // Removals first: a host that moves a service between ports never shows it at both.
        return tell(removed + changed)
    }

    /// Gives each content a version of its own and tells everybody.
    private mutating func tell(_ contents: [RecordContent]) -> [CatalogueEvent] {
        var version = ownRecords.version
        var entries: [NodeRecords.Entry] = []
        for content in contents {
            version += 1
            let entry = NodeRecords.Entry(version: version, content: content)
            entries.append(entry)
            ownRecords.merge(entry, ofFloor: 0)
        }
        ownRecords.confirm()
        digestChanged()
        return events(entries)
    }

    private func events(_ entries: [NodeRecords.Entry]) -> [CatalogueEvent] {
        var packer = PayloadPacker(limit: CatalogueEvent.payloadBytesMax)
        let fits = packer.add(entries, of: own, announced: ownRecords.summary, floor: 0)
        if fits, !entries.isEmpty, packer.payloads.count <= Self.eventsMax {
            return packer.payloads.map { CatalogueEvent(name: CatalogueEvent.recordsName, payload: $0) }
        }
        var announcement = PayloadPacker(limit: CatalogueEvent.payloadBytesMax)
        announcement.add([], of: own, announced: ownRecords.summary, floor: 0)
        return announcement.payloads.map { CatalogueEvent(name: CatalogueEvent.versionName, payload: $0) }
    }

    // MARK: Others have more of this host than it said

    /// Somebody has this host's records in a version: from before a restart that lost the clock's advance, from a twin, or
    /// made up. As in SWIM's refutation the host goes past it, so that its own word counts again.
    mutating func heardOfOwn(_ summary: RecordSummary) {
        guard ownRecords.summary < summary else { return }
        versionToPass = max(versionToPass ?? 0, summary.version)
    }

    /// Somebody compares what it has of this host.
    ///
    /// The same version with another hash means at first that something is missing there, and the answer brings it. Seen
    /// again, it means that an earlier life of this host used the version for something else, as happens on machines
    /// whose clock begins at the same time with every boot; then only a new version helps.
    mutating func compared(_ theirs: RecordSummary) {
        let mine = ownRecords.summary
        if theirs.version > mine.version { return heardOfOwn(theirs) }
        guard theirs.version == mine.version, theirs.hash != mine.hash else { return }
        if lookalike == theirs { versionToPass = max(versionToPass ?? 0, theirs.version) }
        lookalike = theirs
    }

    /// Goes past `versionToPass`, if it is time.
    mutating func passIfDue(_ now: Instant) -> [CatalogueEvent] {
        guard let version = versionToPass, lastPass.map({ now >= $0 + Self.passInterval }) ?? true else { return [] }
        versionToPass = nil
        guard version >= ownRecords.version else { return [] }
        lastPass = now
        let contents = ownRecords.entries.values.map(\.content).sorted { $0.key < $1.key }
        ownRecords = NodeRecords(floor: version + 1)
        return tell(contents)
    }
}

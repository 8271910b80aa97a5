package import WeftCore

/// The services of the whole mesh, as this host knows them: what it says itself, and what it has heard of others.
///
/// A pure value without sockets and clocks. Changes of this host go out as user events (`Catalogue+Publish`), which
/// reach everybody within a second or two; whatever an event missed is found by comparing digests in push/pull and is
/// then sent directly (`Catalogue+Exchange`). What comes in by any way is merged by version alone (`NodeRecords`), so
/// order, repetition and the way do not matter. Who is alive is membership's word (`Catalogue+Members`).
///
/// Every change gives the endpoints that routing loses and gains; `MeshBuilder` makes snapshots of them. Called by the
/// control side, never on the loops that carry bytes.
package struct Catalogue: Sendable {
    /// Hosts at a time, this one not counted.
    package static let nodesMax = 20_000
    /// Hosts of which records but no membership are known; the one heard of first gives way.
    package static let strangersMax = 1000
    /// Records of all other hosts together, tombstones included.
    package static let recordsMax = 400_000
    /// A host that is gone is forgotten after this time.
    package static let memory = Duration.seconds(24 * 3600)

    package let own: NodeName
    var ownRecords: NodeRecords
    /// Services that had no room in `NodeRecords.servicesMax` at the last `publish`.
    package internal(set) var unpublishedCount = 0
    var hasPublished = false

    var nodes: [NodeName: Node] = [:]
    /// Entries of all nodes.
    package internal(set) var recordCount = 0
    var strangerCount = 0
    /// Hosts of which something is known to be missing.
    var gaps: [NodeName: Gap] = [:]
    /// A version that others have of this host and that is not below its own.
    var versionToPass: UInt64?
    /// What somebody has of this host under its own version, and yet different.
    var lookalike: RecordSummary?
    var lastPass: Instant?
    var nextReaping: Instant?
    private var cachedDigest: [UInt8]?

    /// The catalogue of a host that has published nothing yet.
    package init(own: NodeName, at wall: WallTime) {
        self.own = own
        self.ownRecords = NodeRecords(floor: RecordVersion.start(at: wall))
    }

    /// The version and hash of a host's records; nil when nothing is known of it.
    package subscript(_ node: NodeName) -> RecordSummary? {
        node == own ? ownRecords.summary : nodes[node]?.records.summary
    }

    /// A host's live records, sorted by service and port.
    package func records(of node: NodeName) -> [ServiceRecord] {
        let records = node == own ? ownRecords : nodes[node]?.records
        return records?.entries.values.compactMap(\.content.record).sorted { $0.key < $1.key } ?? []
    }

    /// The endpoints of all hosts that are routed to, sorted by node, service and port: what the changes so far sum up to.
    package var endpoints: [Endpoint] {
        nodes.sorted { $0.key < $1.key }.flatMap { $0.value.endpoints.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// What this host has of each host that is there, for the push/pull section. Kept until something changes.
    package mutating func digest() -> [UInt8] {
        if let cachedDigest { return cachedDigest }
        var hosts = nodes.filter { $0.value.state.isRouted && $0.value.records.version > 0 }
            .mapValues(\.records.summary)
        hosts[own] = ownRecords.summary
        let digest = [CatalogueBlock.format] + CatalogueBlock.digest(hosts).encoded
        cachedDigest = digest
        return digest
    }

    mutating func digestChanged() { cachedDigest = nil }
}

extension Catalogue {
    /// What is known of another host.
    struct Node: Sendable {
        var records = NodeRecords()
        /// The newest that the host itself has said of all its records.
        var announced = RecordSummary.nothing
        var state = NodeState.unknown
        var address: IPAddress?
        /// When it came into this state.
        var since: Instant
        /// What routing has of it.
        var endpoints: [ServiceRecord.Key: Endpoint] = [:]
    }

    /// A host that has said more than this one holds.
    struct Gap: Sendable {
        let announced: RecordSummary
        /// When to ask next.
        var due: Instant
        /// Questions so far.
        var attempts = 0
    }
}

/// What membership says of a host.
package enum NodeState: Sendable, Equatable {
    /// Nothing: its records came before word of it.
    case unknown
    case alive
    /// It is about to leave, or most likely dead: nothing new goes there, and nothing of it is forgotten.
    case unavailable
    case failed
    case left

    /// Whether its endpoints take part in routing.
    package var isRouted: Bool { self == .alive }
}

/// The time by both clocks.
package struct Moment: Sendable, Equatable {
    /// For waiting.
    package var monotonic: Instant
    /// For versions.
    package var wall: WallTime

    package init(monotonic: Instant, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// A Serf user event to send, not coalesced.
package struct CatalogueEvent: Sendable, Equatable {
    /// `weft:r` carries records, `weft:v` only a host's version.
    package let name: String
    package let payload: [UInt8]

    package init(name: String, payload: [UInt8]) {
        self.name = name
        self.payload = payload
    }

    package static let recordsName = "weft:r"
    package static let versionName = "weft:v"
    /// Bytes of a payload; with its name and Serf's header below the 512 that every agent takes.
    package static let payloadBytesMax = 400
}

/// What came of something that happened to the catalogue.
package struct CatalogueChange: Sendable, Equatable {
    /// What routing loses, sorted as `Catalogue.endpoints`. An endpoint that differs in anything is in both lists.
    package var removed: [Endpoint] = []
    package var added: [Endpoint] = []
    /// To be sent back to where the payload came from, each as a direct message.
    package var answers: [[UInt8]] = []
    /// To be sent to everybody.
    package var events: [CatalogueEvent] = []
    /// Statements that were not believed, by reason.
    package var refused: [CatalogueRefusal: Int] = [:]

    package init() {}

    /// Whether routing stays as it was.
    package var keepsRouting: Bool { removed.isEmpty && added.isEmpty }

    mutating func refuse(_ reason: CatalogueRefusal) { refused[reason, default: 0] += 1 }
}

/// Why a statement in a well-formed payload was not believed. The raw values are what metrics say.
package enum CatalogueRefusal: String, Sendable, CaseIterable {
    /// A version too far ahead of this host's clock.
    case futureVersion = "future-version"
    /// `Catalogue.nodesMax` is reached.
    case tooManyNodes = "too-many-nodes"
    /// `Catalogue.recordsMax` is reached.
    case tooManyRecords = "too-many-records"
    /// More questions in one payload than are answered.
    case tooManyRequests = "too-many-requests"
    /// A digest where none belongs.
    case misplacedDigest = "misplaced-digest"
}

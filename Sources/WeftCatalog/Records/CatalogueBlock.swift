internal import WeftCore

/// One statement in a payload.
enum CatalogueBlock: Sendable, Equatable {
    /// Some or all entries of a host's records.
    case records(Records)
    /// The floor of a host's records; goes before the entries.
    case seal(Seal)
    /// A question for a host's records.
    case request(Request)
    /// What the sender has of each host.
    case digest([NodeName: RecordSummary])

    struct Records: Sendable, Equatable {
        let node: NodeName
        /// The newest that the host itself has said of all its records; `.nothing` when the sender does not know.
        let announced: RecordSummary
        /// The floor of the state that the entries are of; 0 for a change.
        let floor: UInt64
        let entries: [NodeRecords.Entry]
    }

    struct Request: Sendable, Equatable {
        let node: NodeName
        /// What the asker has of it.
        let known: RecordSummary
        /// What the asker believes that the host has announced. A host that knows better learns by it that it has to pass
        /// this version.
        let announced: RecordSummary
    }

    struct Seal: Sendable, Equatable {
        let node: NodeName
        let floor: UInt64
        let marks: Set<UInt32>
    }
}

/// The bytes of a payload, whether it travels in a user event, a direct message or the push/pull section.
///
/// ```
/// payload  01  block...
/// block    kind (1)  length (varint)  body          kinds that are not known are skipped
/// records  01: node  version (varint)  hash (8)  floor (varint)  base (varint)
///              entry...: base - version (varint)  length (varint)  record (ServiceRecord+Wire.swift)
/// seal     02: node  floor (varint)  mark (4)...    ascending
/// request  03: node  version (varint)  hash (8)  version (varint)  hash (8)  [whatever a later release appends]
/// digest   04: host...: bytes shared with the name before (1)  rest of the name (length 1, text)
///                       version (varint)  hash (8)  ascending by name
/// ```
extension CatalogueBlock {
    static let format: UInt8 = 1

    private enum Kind {
        static let records: UInt8 = 1
        static let seal: UInt8 = 2
        static let request: UInt8 = 3
        static let digest: UInt8 = 4
    }

    /// The statements of a payload, all of them or none.
    static func blocks(in payload: [UInt8], bytesMax: Int) throws(CatalogueError) -> [CatalogueBlock] {
        guard payload.count <= bytesMax else { throw .tooLong(bytes: payload.count) }
        var reader = ByteReader(payload)
        let format = try reader.byte()
        guard format == Self.format else { throw .unsupportedFormat(format) }
        var blocks: [CatalogueBlock] = []
        while !reader.isAtEnd {
            let kind = try reader.byte()
            var body = try reader.part()
            switch kind {
            case Kind.records: blocks.append(.records(try Records(&body)))
            case Kind.seal: blocks.append(.seal(try Seal(&body)))
            case Kind.request: blocks.append(.request(try Request(&body)))
            case Kind.digest: blocks.append(.digest(try digest(&body)))
            default: continue
            }
        }
        return blocks
    }

    var encoded: [UInt8] {
        var body: [UInt8] = []
        let kind: UInt8
        switch self {
        case .records(let records):
            kind = Kind.records
            body = records.head(base: records.base)
            for entry in records.entries { body += Records.encoded(entry, base: records.base) }
        case .seal(let seal):
            kind = Kind.seal
            body.append(text: seal.node.text)
            body.append(varint: seal.floor)
            for mark in seal.marks.sorted() { body.append(number: UInt64(mark), bytes: 4) }
        case .request(let request):
            kind = Kind.request
            body.append(text: request.node.text)
            body.append(request.known)
            body.append(request.announced)
        case .digest(let hosts):
            kind = Kind.digest
            body = Self.encoded(hosts)
        }
        var bytes = [kind]
        bytes.append(part: body)
        return bytes
    }

    // MARK: Digest

    private static func encoded(_ hosts: [NodeName: RecordSummary]) -> [UInt8] {
        var body: [UInt8] = []
        var last: [UInt8] = []
        for (node, summary) in hosts.sorted(by: { $0.key < $1.key }) {
            let name = Array(node.text.utf8)
            let shared = zip(last, name).prefix { $0 == $1 }.count
            body.append(UInt8(clamping: shared))
            body.append(UInt8(clamping: name.count - shared))
            body.append(contentsOf: name[shared...])
            body.append(summary)
            last = name
        }
        return body
    }

    private static func digest(_ body: inout ByteReader) throws(CatalogueError) -> [NodeName: RecordSummary] {
        var hosts: [NodeName: RecordSummary] = [:]
        var last: NodeName?
        var lastBytes: [UInt8] = []
        while !body.isAtEnd {
            let start = body.offset
            let shared = Int(try body.byte())
            let rest = try body.bytes(Int(try body.byte()))
            let bytes = lastBytes.prefix(shared) + rest
            guard shared <= lastBytes.count, let node = NodeName(String(decoding: bytes, as: UTF8.self)),
                last.map({ $0 < node }) ?? true, hosts.count < Catalogue.nodesMax
            else { throw .malformed(.node, at: start) }
            hosts[node] = try RecordSummary(&body)
            last = node
            lastBytes = Array(bytes)
        }
        return hosts
    }
}

extension CatalogueBlock.Records {
    /// The greatest version, from which the entries count down.
    var base: UInt64 { entries.map(\.version).max() ?? 0 }

    func head(base: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(text: node.text)
        bytes.append(announced)
        bytes.append(varint: floor)
        bytes.append(varint: base)
        return bytes
    }

    static func encoded(_ entry: NodeRecords.Entry, base: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: base - entry.version)
        bytes.append(part: entry.content.encoded)
        return bytes
    }

    fileprivate init(_ body: inout ByteReader) throws(CatalogueError) {
        node = try NodeName(&body)
        announced = try RecordSummary(&body)
        floor = try body.varint()
        let base = try body.varint()
        var entries: [NodeRecords.Entry] = []
        while !body.isAtEnd {
            let start = body.offset
            let back = try body.varint()
            guard back < base else { throw .malformed(.version, at: start) }
            var record = try body.part()
            let offset = record.offset
            var raw = record
            let encoded = Array(raw.rest())
            guard encoded.count <= RecordContent.bytesMax else { throw .malformed(.service, at: offset) }
            let content = try RecordContent(&record)
            entries.append(NodeRecords.Entry(version: base - back, content: content, encoded: encoded))
        }
        self.entries = entries
    }
}

extension CatalogueBlock.Request {
    fileprivate init(_ body: inout ByteReader) throws(CatalogueError) {
        node = try NodeName(&body)
        known = try RecordSummary(&body)
        announced = try RecordSummary(&body)
    }
}

extension CatalogueBlock.Seal {
    fileprivate init(_ body: inout ByteReader) throws(CatalogueError) {
        node = try NodeName(&body)
        floor = try body.varint()
        var marks: Set<UInt32> = []
        while !body.isAtEnd { marks.insert(try body.uint32()) }
        self.marks = marks
    }
}

extension NodeName {
    fileprivate init(_ body: inout ByteReader) throws(CatalogueError) {
        let start = body.offset
        guard let name = NodeName(try body.text(.node)) else { throw .malformed(.node, at: start) }
        self = name
    }
}

extension RecordSummary {
    fileprivate init(_ body: inout ByteReader) throws(CatalogueError) {
        self.init(version: try body.varint(), hash: try body.uint64())
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ summary: RecordSummary) {
        append(varint: summary.version)
        append(number: summary.hash, bytes: 8)
    }
}

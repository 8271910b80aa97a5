internal import WeftCore

/// What a version of a host's records says about one key: how the service is, or that it is no more.
enum RecordContent: Hashable, Sendable {
    case live(ServiceRecord)
    case removed(ServiceRecord.Key)

    /// Encoded; more is refused. A record with the most and longest labels has 10.5 KiB.
    static let bytesMax = 12 << 10

    var key: ServiceRecord.Key {
        switch self {
        case .live(let record): record.key
        case .removed(let key): key
        }
    }

    var record: ServiceRecord? {
        if case .live(let record) = self { record } else { nil }
    }
}

/// The bytes of one record. Each value has one form, so that equal records have equal hashes on every host.
///
/// ```
/// flags (1)  service (length 1, text)  port (2)
///   [tenant (length 1, text)]                  flag 04; without it: system
///   [protocol (length 1, text)]                flag 08
///   [count (1), addresses (4 or 16, bytes)]    flag 10; ascending
///   [count (1), labels (key, value)]           flag 20; ascending by key
///   [whatever a later release appends]
/// ```
///
/// Flag 01 says that the record was removed (service and port only), flag 02 that it is healthy. Flags 40 and 80 and
/// bytes at the end belong to later releases: they are kept and passed on.
extension RecordContent {
    private enum Flag {
        static let removed: UInt8 = 0x01
        static let healthy: UInt8 = 0x02
        static let tenant: UInt8 = 0x04
        static let protocolHint: UInt8 = 0x08
        static let addresses: UInt8 = 0x10
        static let labels: UInt8 = 0x20
        static let later: UInt8 = 0xc0
    }

    var encoded: [UInt8] {
        switch self {
        case .removed(let key):
            var bytes = [Flag.removed]
            Self.append(key, to: &bytes)
            return bytes
        case .live(let record): return Self.encoded(record)
        }
    }

    private static func encoded(_ record: ServiceRecord) -> [UInt8] {
        var bytes = [record.additions.flags | flags(of: record)]
        append(record.key, to: &bytes)
        if record.tenant != .system { bytes.append(text: record.tenant.text) }
        if let hint = record.protocolHint { bytes.append(text: hint) }
        if !record.addresses.isEmpty {
            bytes.append(UInt8(clamping: record.addresses.count))
            for address in record.addresses {
                let raw = address.bytes
                bytes.append(UInt8(clamping: raw.count))
                bytes.append(contentsOf: raw)
            }
        }
        if !record.labels.isEmpty {
            bytes.append(UInt8(clamping: record.labels.count))
            for (key, value) in record.labels.sorted(by: { $0.key < $1.key }) {
                bytes.append(text: key)
                bytes.append(text: value)
            }
        }
        return bytes + record.additions.bytes
    }

    private static func flags(of record: ServiceRecord) -> UInt8 {
        (record.isHealthy ? Flag.healthy : 0) | (record.tenant == .system ? 0 : Flag.tenant)
            | (record.protocolHint == nil ? 0 : Flag.protocolHint) | (record.addresses.isEmpty ? 0 : Flag.addresses)
            | (record.labels.isEmpty ? 0 : Flag.labels)
    }

    private static func append(_ key: ServiceRecord.Key, to bytes: inout [UInt8]) {
        bytes.append(text: key.service.text)
        bytes.append(number: UInt64(key.port), bytes: 2)
    }

    // MARK: Decoding

    /// Reads to the reader's end. Refuses every form that `encoded` does not give.
    init(_ reader: inout ByteReader) throws(CatalogueError) {
        let start = reader.offset
        let flags = try reader.byte()
        let key = try Self.key(&reader)
        guard flags & Flag.removed == 0 else {
            guard flags == Flag.removed, reader.isAtEnd else { throw .malformed(.service, at: start) }
            self = .removed(key)
            return
        }
        let tenant = flags & Flag.tenant == 0 ? .system : try Self.tenant(&reader)
        let hint = flags & Flag.protocolHint == 0 ? nil : try Self.protocolHint(&reader)
        let addresses = flags & Flag.addresses == 0 ? [] : try Self.addresses(&reader)
        let labels = flags & Flag.labels == 0 ? [:] : try Self.labels(&reader)
        self = .live(
            ServiceRecord(
                checkedKey: key,
                tenant: tenant,
                addresses: addresses,
                labels: labels,
                protocolHint: hint,
                isHealthy: flags & Flag.healthy != 0,
                additions: .init(flags: flags & Flag.later, bytes: Array(reader.rest()))
            )
        )
    }

    private static func key(_ reader: inout ByteReader) throws(CatalogueError) -> ServiceRecord.Key {
        var start = reader.offset
        guard let service = ServiceName(try reader.text(.service)) else { throw .malformed(.service, at: start) }
        start = reader.offset
        let port = try reader.uint16()
        guard port != 0 else { throw .malformed(.port, at: start) }
        return ServiceRecord.Key(service: service, port: port)
    }

    private static func tenant(_ reader: inout ByteReader) throws(CatalogueError) -> TenantName {
        let start = reader.offset
        guard let tenant = TenantName(try reader.text(.tenant)), tenant != .system else {
            throw .malformed(.tenant, at: start)
        }
        return tenant
    }

    private static func protocolHint(_ reader: inout ByteReader) throws(CatalogueError) -> String {
        let start = reader.offset
        let hint = try reader.text(.protocolHint)
        guard ServiceRecord.isProtocol(hint) else { throw .malformed(.protocolHint, at: start) }
        return hint
    }

    private static func addresses(_ reader: inout ByteReader) throws(CatalogueError) -> [IPAddress] {
        let count = try count(&reader, .address, upTo: ServiceRecord.addressesMax)
        var addresses: [IPAddress] = []
        for _ in 0..<count {
            let start = reader.offset
            let length = Int(try reader.byte())
            guard length == 4 || length == 16 else { throw .malformed(.address, at: start) }
            let raw = try reader.bytes(length)
            guard let address = IPAddress(raw), address.bytes.count == length, address.isDialable,
                addresses.last.map({ $0 < address }) ?? true
            else { throw .malformed(.address, at: start) }
            addresses.append(address)
        }
        return addresses
    }

    private static func labels(_ reader: inout ByteReader) throws(CatalogueError) -> [String: String] {
        let count = try count(&reader, .label, upTo: ServiceRecord.labelsMax)
        var labels: [String: String] = [:]
        var last = ""
        for _ in 0..<count {
            let start = reader.offset
            let key = try reader.text(.label)
            let value = try reader.text(.label)
            guard ServiceRecord.isLabel(key: key, value: value), last < key else { throw .malformed(.label, at: start) }
            labels[key] = value
            last = key
        }
        return labels
    }

    private static func count(_ reader: inout ByteReader, _ field: CatalogueError.Field, upTo most: Int)
        throws(CatalogueError) -> Int
    {
        let start = reader.offset
        let count = Int(try reader.byte())
        guard (1...most).contains(count) else { throw .malformed(field, at: start) }
        return count
    }
}

extension IPAddress {
    /// Reads 4 or 16 bytes in network order; nil for any other number of them.
    fileprivate init?(_ bytes: ArraySlice<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = bytes.withUnsafeBytes { IPAddress(v6Bytes: $0) }
        default: return nil
        }
    }
}

/// Why bytes from a peer are no payload of the catalogue. Offsets count from the payload's first byte.
package enum CatalogueError: Error, Sendable, Equatable {
    /// The payload ends where `needed` more bytes should be.
    case truncated(at: Int, needed: Int)
    /// The payload is longer than any that weft makes.
    case tooLong(bytes: Int)
    /// The payload's first byte names a format that this release does not know.
    case unsupportedFormat(UInt8)
    /// What stands at the offset cannot be such a field.
    case malformed(Field, at: Int)

    /// The parts of a payload.
    package enum Field: String, Sendable {
        case node, service, tenant, port, address, label, number, version
        case protocolHint = "protocol"
    }
}

extension CatalogueError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let offset, let needed): "\(needed) bytes are missing at offset \(offset)"
        case .tooLong(let bytes): "\(bytes) bytes are more than any payload has"
        case .unsupportedFormat(let format): "format \(format) is not known"
        case .malformed(let field, let offset): "no valid \(field.rawValue) at offset \(offset)"
        }
    }
}

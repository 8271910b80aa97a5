/// What keeps pools apart that share a network: `f4 | n:u8 | label` before everything else (specification 1.5).
enum Label {
    /// The header; nothing for an empty label.
    static func header(_ label: [UInt8]) -> [UInt8] {
        label.isEmpty ? [] : [MemberlistType.label.rawValue, UInt8(clamping: label.count)] + label
    }

    /// Bytes that the header takes.
    static func overhead(_ label: [UInt8]) -> Int { label.isEmpty ? 0 : 2 + label.count }

    /// What follows the header in a datagram, which has to carry our label, or none if we have none.
    static func unwrap(_ bytes: ArraySlice<UInt8>, expecting label: [UInt8]) throws(WireError) -> ArraySlice<UInt8> {
        switch try read(bytes, expecting: label) {
        case .complete(let length): return bytes.dropFirst(length)
        case .incomplete: throw .malformedLabel
        }
    }

    /// How far the header has arrived.
    enum Progress: Equatable {
        /// It is there, and takes so many bytes.
        case complete(length: Int)
        case incomplete
    }

    /// Looks for the header at the start of bytes that may still be arriving.
    static func read(_ bytes: ArraySlice<UInt8>, expecting label: [UInt8]) throws(WireError) -> Progress {
        guard let first = bytes.first else { return .incomplete }
        guard first == MemberlistType.label.rawValue else {
            guard label.isEmpty else { throw .wrongLabel }
            return .complete(length: 0)
        }
        guard !label.isEmpty else { throw .unexpectedLabel }
        guard let length = bytes.dropFirst().first.map(Int.init) else { return .incomplete }
        guard length > 0 else { throw .malformedLabel }
        guard length == label.count else { throw .wrongLabel }
        guard bytes.count >= 2 + length else { return .incomplete }
        guard bytes.dropFirst(2).prefix(length).elementsEqual(label) else { throw .wrongLabel }
        return .complete(length: 2 + length)
    }
}

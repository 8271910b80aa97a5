package import WeftCore

/// Where a CONNECT wants to go: the `:authority`, in one of the forms of hbone.md section 5.
package enum TunnelAuthority: Hashable, Sendable {
    case address(NetworkAddress)
    /// A service's name with the service's port.
    case host(String, port: UInt16)

    /// The longest name of DNS, and a port.
    private static let bytesMax = 253 + 6

    /// Reads `10.0.0.7:8080`, `[2001:db8::1]:8080` or `host.name:80`; both parts are needed. Nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, let colon = text.lastIndex(of: ":"),
            let port = Self.port(text[text.index(after: colon)...])
        else { return nil }
        if let address = NetworkAddress(text) {
            self = .address(address)
            return
        }
        let host = text[..<colon]
        guard Self.isHostName(host) else { return nil }
        self = .host(host.lowercased(), port: port)
    }

    package var port: UInt16 {
        switch self {
        case .address(let address): address.port
        case .host(_, let port): port
        }
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(isDigit), let port = UInt16(text), port > 0 else {
            return nil
        }
        return port
    }

    /// Letters, digits, `-` and `_` in labels, and something that is not a number: `10.0.0.300` is no name.
    private static func isHostName(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(isNameByte) }) else {
            return false
        }
        return labels.last.map { !$0.utf8.allSatisfy(isDigit) } ?? false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

extension TunnelAuthority: CustomStringConvertible {
    package var description: String {
        switch self {
        case .address(let address): address.description
        case .host(let name, let port): "\(name):\(port)"
        }
    }
}

/// Where another host may be found, as people write it: an IP address or a DNS name, with or without a port.
package struct PeerAddress: Hashable, Sendable {
    package let host: Host
    /// Nil means the port that gossip uses here.
    package let port: UInt16?

    package enum Host: Hashable, Sendable {
        case ip(IPAddress)
        /// Looked up when it is used, each time anew.
        case name(String)
    }

    package init(_ host: Host, port: UInt16? = nil) {
        self.host = host
        self.port = port
    }

    /// Reads `10.0.0.1`, `10.0.0.1:7946`, `fd00::1`, `[fd00::1]:7946`, `db-1`, `db-1.example:7946`. Nil for anything
    /// else: names have at most 253 bytes, in labels of 1 to 63 letters, digits, hyphens and underscores (RFC 1123,
    /// section 2.1, with the underscore that many networks use).
    package init?(_ text: String) {
        guard text.utf8.count <= 300 else { return nil }
        if let ip = IPAddress(text) {
            self.init(.ip(ip))
        } else if text.hasPrefix("["), text.hasSuffix("]"), let ip = IPAddress(String(text.dropFirst().dropLast())) {
            guard ip.family == .v6 else { return nil }
            self.init(.ip(ip))
        } else if let address = NetworkAddress(text) {
            guard address.port > 0 else { return nil }
            self.init(.ip(address.ip), port: address.port)
        } else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, Self.isName(parts[0]) else { return nil }
            guard parts.count == 2 else {
                self.init(.name(text))
                return
            }
            guard let port = UInt16(parts[1]), port > 0 else { return nil }
            self.init(.name(String(parts[0])), port: port)
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last else { return false }
        // An all-numeric last label is a mistyped IPv4 address.
        return !last.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy(isNameByte)
            }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension PeerAddress: CustomStringConvertible {
    package var description: String {
        switch (host, port) {
        case (.ip(let ip), let port?): NetworkAddress(ip, port: port).description
        case (.ip(let ip), nil): ip.description
        case (.name(let name), let port?): "\(name):\(port)"
        case (.name(let name), nil): name
        }
    }
}

/// An IP address and a TCP port.
package struct NetworkAddress: Hashable, Sendable {
    package var ip: IPAddress
    package var port: UInt16

    package init(_ ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// Reads `10.0.0.1:80` or `[fd00::1]:80`. Nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard let ip = IPAddress(String(host)), bracketed == (ip.family == .v6) else { return nil }
        self.init(ip, port: port)
    }
}

extension NetworkAddress: Comparable {
    package static func < (left: NetworkAddress, right: NetworkAddress) -> Bool {
        (left.ip, left.port) < (right.ip, right.port)
    }
}

extension NetworkAddress: CustomStringConvertible {
    package var description: String {
        switch ip.family {
        case .v4: "\(ip):\(port)"
        case .v6: "[\(ip)]:\(port)"
        }
    }
}

/// Where the client's socket says it is: its own address and port, before any translation by the kernel.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    package var address: NetworkAddress

    package init(_ address: NetworkAddress) { self.address = address }

    package var description: String { address.description }
}

/// What the client dialled, as its own socket knows it; never the address of weft's listener.
package struct OriginalDestination: Hashable, Sendable, CustomStringConvertible {
    package var address: NetworkAddress

    package init(_ address: NetworkAddress) { self.address = address }

    package var description: String { address.description }
}

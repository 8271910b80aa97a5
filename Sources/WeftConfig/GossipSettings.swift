internal import WeftCore

extension Setting where Value == UInt16 {
    /// A port for gossip: none of those that weft or SSH uses already.
    static var gossipPort: Setting { port(1...65_535, exampleOf: 7946, taken: [22, 15001, 15006, 15008]) }

    /// A port for tunnels. weftd has no capability for those below 1024.
    static var tunnelPort: Setting { port(1024...65_535, exampleOf: 15008, taken: [15001, 15006, 7946]) }

    private static func port(_ range: ClosedRange<Int>, exampleOf example: Int, taken: Set<Int>) -> Setting {
        Setting { node throws(Mistake) in
            let number = try Setting<Int>.integer(range).parse(node)
            guard !taken.contains(number) else {
                throw Mistake(
                    reason: "port \(number) is taken by SSH or weft itself",
                    remedy: "write another, such as \(example)"
                )
            }
            return UInt16(number)
        }
    }
}

extension Setting where Value == IPAddress {
    /// An address that other hosts can dial.
    static var advertisedAddress: Setting {
        Setting { node throws(Mistake) in
            let remedy = "write an address of this host that the others reach, such as \"10.0.0.12\""
            guard case .text(let text) = node.content else {
                throw .kind(of: node, needed: "an address", remedy: remedy)
            }
            guard let address = IPAddress(text) else {
                throw Mistake(
                    reason: "\(quoted(text)) is not an IP address; names are not looked up here",
                    remedy: remedy
                )
            }
            guard !address.isUnspecified, !address.isLoopback, !address.isLinkLocal else {
                throw Mistake(reason: "\(address) means something else on each host", remedy: remedy)
            }
            return address
        }
    }
}

extension Setting where Value == PeerAddress {
    static var peerAddress: Setting {
        Setting { node throws(Mistake) in
            let remedy =
                "write an address or a name, such as \"10.0.0.11\", \"db-1.example.com\" or \"[fd00::11]:7946\""
            guard case .text(let text) = node.content else {
                throw .kind(of: node, needed: "an address", remedy: remedy)
            }
            guard let address = PeerAddress(text) else {
                throw Mistake(reason: "\(quoted(text)) is neither an address nor a host's name", remedy: remedy)
            }
            return address
        }
    }
}

extension Setting where Value == String {
    static var absolutePath: Setting {
        let remedy = "write an absolute path, such as \"/etc/weft/gossip.key\""
        return .text(remedy) { path throws(Mistake) in
            guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count < 4096, !path.utf8.contains(0) else {
                throw Mistake(reason: "\(quoted(path)) is not the absolute path of a file", remedy: remedy)
            }
        }
    }
}

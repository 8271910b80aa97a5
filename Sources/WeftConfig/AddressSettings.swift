internal import WeftCore

extension Setting where Value == PortRange {
    /// A port as a number, or a range as `"8000-8010"`.
    static var ports: Setting {
        Setting { node throws(Mistake) in
            let range = try readPorts(node)
            let pointless = range.first == range.last && weftPorts.contains(range.first)
            guard !pointless else {
                throw Mistake(
                    reason: "port \(range.first) is weft's own and never captured",
                    remedy: "remove it, or exclude what your programs dial"
                )
            }
            guard range.first > 1 || range.last < UInt16.max else {
                throw Mistake(
                    reason: "\(node.shown) excludes every port",
                    remedy: "write enabled = false in [capture] to turn capture off"
                )
            }
            return range
        }
    }
}

/// Outbound capture, inbound capture, tunnel and gossip.
private let weftPorts: [UInt16] = [15001, 15006, 15008, 7946]

private let portsRemedy = "write a port from 1 to 65535, such as 8080, or a range, such as \"8000-8010\""

private func readPorts(_ node: SettingNode) throws(Mistake) -> PortRange {
    switch node.content {
    case .integer(let number):
        return PortRange(try port(number))
    case .text(let text):
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil }
        guard numbers.count == parts.count, let first = numbers.first, let last = numbers.last, numbers.count <= 2
        else {
            throw Mistake(reason: "\(node.shown) is neither a port nor a range of ports", remedy: portsRemedy)
        }
        let (low, high) = (try port(first), try port(last))
        guard let range = PortRange(first: low, last: high) else {
            throw Mistake(reason: "\(node.shown) runs backwards", remedy: "write \"\(high)-\(low)\"")
        }
        return range
    default:
        throw .kind(of: node, needed: "a port or a range of ports", remedy: portsRemedy)
    }
}

private func port(_ number: Int) throws(Mistake) -> UInt16 {
    guard let port = UInt16(exactly: number), port > 0 else {
        throw Mistake(reason: "\(number) is no port: ports are 1 to 65535", remedy: portsRemedy)
    }
    return port
}

extension Setting where Value == IPPrefix {
    /// An address, or a block in CIDR form without host bits.
    static var prefix: Setting {
        Setting { node throws(Mistake) in
            guard case .text(let text) = node.content else {
                throw .kind(of: node, needed: "an address or block", remedy: prefixRemedy)
            }
            return try readPrefix(text)
        }
    }
}

private let prefixRemedy = "write an address, such as \"10.0.0.1\", or a block, such as \"10.0.0.0/8\" or \"fd00::/8\""

private func readPrefix(_ text: String) throws(Mistake) -> IPPrefix {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(String(parts[0])) else {
        throw Mistake(
            reason: "\(quoted(text)) is not an IP address or block; names are not looked up here",
            remedy: prefixRemedy
        )
    }
    if address.family == .v4, parts[0].contains(":") {
        throw Mistake(
            reason: "\(quoted(text)) is an IPv4 address in IPv6 clothing",
            remedy: "write it as IPv4, such as \"\(address)\""
        )
    }
    let width = address.family.bitWidth
    let digits = parts.count == 2 ? parts[1] : "\(width)"
    guard digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains), let length = Int(digits),
        let prefix = IPPrefix(address, length: length)
    else {
        throw Mistake(
            reason: "\(quoted(text)) has no valid prefix length after the slash",
            remedy: "write a length from 0 to \(width), such as \"\(address)/\(width)\""
        )
    }
    guard prefix.first == address else {
        throw Mistake(
            reason: "\(quoted(text)) has host bits set",
            remedy: "write \"\(prefix)\" for the block, or \"\(address)\" for the one address"
        )
    }
    return prefix
}

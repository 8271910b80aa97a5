internal import Glibc
internal import WeftCore

/// Finds the addresses behind what people write.
enum PeerLookup {
    /// At most this many of a name's addresses are used.
    private static let addressesMax = 16

    /// Blocks while the resolver does; on a thread that may.
    static func addresses(of peer: PeerAddress, defaultPort: UInt16) throws(PeerLookupError) -> [NetworkAddress] {
        let port = peer.port ?? defaultPort
        switch peer.host {
        case .ip(let ip): return [NetworkAddress(ip, port: port)]
        case .name(let name): return try resolve(name).map { NetworkAddress($0, port: port) }
        }
    }

    private static func resolve(_ name: String) throws(PeerLookupError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else { throw PeerLookupError(name: name, reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let address = entry.pointee.ai_addr.flatMap(ip), !found.contains(address) else { continue }
            found.append(address)
        }
        guard !found.isEmpty else { throw PeerLookupError(name: name, reason: "it has no address") }
        return Array(found.prefix(addressesMax))
    }

    private static func ip(_ address: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        switch CInt(address.pointee.sa_family) {
        case AF_INET:
            let four = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            return .v4(UInt32(bigEndian: four.sin_addr.s_addr))
        case AF_INET6:
            var six = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            return withUnsafeBytes(of: &six.sin6_addr) { IPAddress(v6Bytes: $0) }
        default: return nil
        }
    }
}

/// A name that leads nowhere.
struct PeerLookupError: Error, CustomStringConvertible {
    let name: String
    let reason: String

    var description: String { "looking up \(name): \(reason)" }
}

internal import Glibc
internal import WeftCatalog
package import WeftCore

extension OwnAddresses {
    /// The address at which other hosts most likely reach this one: the source that the routes choose for the way out,
    /// else any that is not of this host or link alone. Nil on a host without such an address. Sends nothing.
    package static func reachable() throws(HostError) -> IPAddress? {
        // Documentation addresses (RFC 5737, RFC 3849): routed like the rest of the world, and nobody's.
        for target in [IPAddress.v4(0xc000_0201), .v6(high: 0x2001_0db8_0000_0000, low: 1)] {
            if let source = sourceAddress(toward: target), source.isReachableElsewhere { return source }
        }
        let candidates = try current().filter(\.isReachableElsewhere).sorted()
        return candidates.first { $0.family == .v4 } ?? candidates.first
    }

    /// What connect(2) on a UDP socket chooses as this end's address.
    private static func sourceAddress(toward target: IPAddress) -> IPAddress? {
        let family = target.family == .v4 ? AF_INET : AF_INET6
        let descriptor = socket(family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        switch target {
        case .v4(let bits):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(9).bigEndian
            address.sin_addr.s_addr = bits.bigEndian
            guard connect(descriptor, to: &address), name(of: descriptor, &address) else { return nil }
            return .v4(UInt32(bigEndian: address.sin_addr.s_addr))
        case .v6(let high, let low):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = UInt16(9).bigEndian
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            guard connect(descriptor, to: &address), name(of: descriptor, &address) else { return nil }
            return withUnsafeBytes(of: &address.sin6_addr) { IPAddress(v6Bytes: $0) }
        }
    }

    private static func connect<Address>(_ descriptor: CInt, to address: inout Address) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }

    private static func name<Address>(of descriptor: CInt, _ address: inout Address) -> Bool {
        var length = socklen_t(MemoryLayout<Address>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
    }
}

extension IPAddress {
    /// weft's own listener has an address of the virtual range.
    fileprivate var isReachableElsewhere: Bool {
        !isUnspecified && !isLoopback && !isLinkLocal && !VirtualAddresses.contains(self)
    }
}

internal import Glibc
package import WeftCore

/// The addresses of this host's interfaces, in the network namespace of the calling thread.
package enum OwnAddresses {
    /// Loopback and link-local addresses included, without their scopes. Several system calls: not for event loops.
    package static func current() throws(HostError) -> Set<IPAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else {
            throw HostError.errno(
                "list the addresses of this host",
                remedy: "allow AF_NETLINK in the unit's RestrictAddressFamilies="
            )
        }
        defer { freeifaddrs(list) }
        var found: Set<IPAddress> = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            // Interfaces without an address have an entry without one.
            guard let address = entry.pointee.ifa_addr else { continue }
            switch CInt(address.pointee.sa_family) {
            case AF_INET:
                let four = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
                found.insert(.v4(UInt32(bigEndian: four.sin_addr.s_addr)))
            case AF_INET6:
                var six = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
                found.insert(withUnsafeBytes(of: &six.sin6_addr) { IPAddress(v6Bytes: $0) })
            default:
                continue
            }
        }
        return found
    }
}

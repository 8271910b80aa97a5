internal import Glibc
package import WeftCore

/// The addresses of this host's interfaces, in the network namespace of the calling thread.
package enum OwnAddresses {
    /// Loopback and link-local addresses included, without their scopes. Several system calls: not for event loops.
    package static func current() throws(HostError) -> Set<IPAddress> {
        Set(try byInterface().map(\.address))
    }

    /// The addresses of bridges, as containers and virtual machines hang on, but for the bridge that has `address`: that
    /// one leads out of this host.
    package static func onBridges(withoutThatOf address: IPAddress) throws(HostError) -> Set<IPAddress> {
        let all = try byInterface()
        let out = Set(all.filter { $0.address == address }.map(\.interface))
        let bridges = Set(all.map(\.interface)).filter {
            !out.contains($0) && access("/sys/class/net/\($0)/bridge", F_OK) == 0
        }
        return Set(all.filter { bridges.contains($0.interface) }.map(\.address))
    }

    private static func byInterface() throws(HostError) -> [(interface: String, address: IPAddress)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else {
            throw HostError.errno(
                "list the addresses of this host",
                remedy: "allow AF_NETLINK in the unit's RestrictAddressFamilies="
            )
        }
        defer { freeifaddrs(list) }
        var found: [(interface: String, address: IPAddress)] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            // Interfaces without an address have an entry without one.
            guard let address = entry.pointee.ifa_addr else { continue }
            let interface = String(cString: entry.pointee.ifa_name)
            switch CInt(address.pointee.sa_family) {
            case AF_INET:
                let four = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
                found.append((interface, .v4(UInt32(bigEndian: four.sin_addr.s_addr))))
            case AF_INET6:
                var six = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
                found.append((interface, withUnsafeBytes(of: &six.sin6_addr) { IPAddress(v6Bytes: $0) }))
            default:
                continue
            }
        }
        return found
    }
}

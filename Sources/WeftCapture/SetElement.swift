package import WeftCore

/// A member of a named set.
package enum SetElement: Hashable, Sendable {
    case addresses(AddressRange)
    case portRange(PortRange)
    case port(UInt16)
    case user(UserID)
    case cgroup(CgroupID)
    case interface(InterfaceName)
    case endpoint(NetworkAddress)

    /// The key's bytes as the kernel stores them; the first key of a range.
    package var key: [UInt8] {
        switch self {
        case .addresses(let range): range.firstBytes
        case .portRange(let range): networkBytes(range.first)
        case .port(let port): networkBytes(port)
        case .user(let user): hostBytes(user.number)
        case .cgroup(let cgroup): hostBytes(cgroup.number)
        case .interface(let name): Array(name.text.utf8) + [UInt8](repeating: 0, count: 16 - name.text.utf8.count)
        case .endpoint(let address): address.ip.bytes + networkBytes(address.port) + [0, 0]
        }
    }

    /// The first key after a range; nil when the range runs to the last key there is, and for single keys.
    package var keyAfter: [UInt8]? {
        switch self {
        case .addresses(let range): range.bytesAfter
        case .portRange(let range): range.last == .max ? nil : networkBytes(range.last + 1)
        case .port, .user, .cgroup, .interface, .endpoint: nil
        }
    }

    /// As nft writes it.
    package var text: String {
        switch self {
        case .addresses(let range): range.description
        case .portRange(let range): range.description
        case .port(let port): "\(port)"
        case .user(let user): "\(user)"
        case .cgroup(let cgroup): "\(cgroup)"
        case .interface(let name): "\"\(name)\""
        case .endpoint(let address): "\(address.ip) . \(address.port)"
        }
    }
}

extension SetElement: Comparable {
    /// By value within a kind; kinds never meet in one set, and follow the order of declaration if they are compared.
    package static func < (left: SetElement, right: SetElement) -> Bool {
        switch (left, right) {
        case (.addresses(let a), .addresses(let b)): a < b
        case (.portRange(let a), .portRange(let b)): a < b
        case (.port(let a), .port(let b)): a < b
        case (.user(let a), .user(let b)): a < b
        case (.cgroup(let a), .cgroup(let b)): a < b
        case (.interface(let a), .interface(let b)): a < b
        case (.endpoint(let a), .endpoint(let b)): a < b
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .addresses: 0
        case .portRange: 1
        case .port: 2
        case .user: 3
        case .cgroup: 4
        case .interface: 5
        case .endpoint: 6
        }
    }
}

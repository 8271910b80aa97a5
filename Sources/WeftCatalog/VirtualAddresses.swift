package import WeftCore

/// The two addresses under which the mesh knows a service, whichever hosts it runs on.
package struct VirtualAddress: Hashable, Sendable {
    /// In 240.0.0.0/8.
    package let v4: IPAddress
    /// In fd77:6566:7400::/48.
    package let v6: IPAddress

    package init(v4: IPAddress, v6: IPAddress) {
        self.v4 = v4
        self.v6 = v6
    }
}

/// Which virtual addresses each service name has on this host.
///
/// An address follows from the name by a stable hash, so that hosts agree without talking; when two names hash to the
/// same address, the one that was here first keeps it and the other takes the next free one. An address, once given,
/// stays: the table is kept across restarts (`VirtualAddresses+Text.swift`), and names that are not in use keep
/// theirs for as long as there is room.
package struct VirtualAddresses: Sendable, Equatable {
    /// Names that have addresses at a time.
    package static let namesMax = 65_536
    /// All virtual IPv4 addresses; class E, which no network routes.
    package static let rangeV4 = prefix(.v4(0xf000_0000), 8)
    /// All virtual IPv6 addresses: a unique local /48, of which subnet 0 is weft's own (its listener is ::1 there).
    package static let rangeV6 = prefix(.v6(high: v6High, low: 0), 48)

    /// Never more than `namesMax`; each address occurs once.
    package private(set) var addresses: [ServiceName: VirtualAddress] = [:]
    /// Who holds an address.
    private var holders: [IPAddress: ServiceName] = [:]

    package init() {}

    package subscript(_ name: ServiceName) -> VirtualAddress? { addresses[name] }

    /// This table with an address for each of `names`, which are all that are in use; see `allocate`.
    package func allocating(_ names: some Sequence<ServiceName>) -> VirtualAddresses {
        var table = self
        let wanted = Set(names)
        table.allocate(wanted) { wanted.contains($0) }
        return table
    }

    /// Gives an address to each of `names`; those that have one keep it. The order of `names` does not matter.
    ///
    /// Hosts that learn of the same names at the same time, as one that joins does, come to the same addresses: names
    /// that want the same one are served in their order. Hosts that learned of them one after the other may differ in
    /// those few, which does no harm, as each resolves its own.
    ///
    /// When the table would grow over its bound, names that are not in use give theirs up, in order; names beyond the
    /// bound that are all in use get none.
    package mutating func allocate(_ names: some Sequence<ServiceName>, inUse: (ServiceName) -> Bool) {
        let missing = Set(names).filter { addresses[$0] == nil }.sorted()
        let excess = addresses.count + missing.count - Self.namesMax
        if excess > 0 {
            for name in addresses.keys.filter({ !inUse($0) }).sorted().prefix(excess) { release(name) }
        }
        for name in missing.prefix(Self.namesMax - addresses.count) {
            take(
                VirtualAddress(
                    v4: free(Self.preferredV4(name), next: Self.afterV4),
                    v6: free(Self.preferredV6(name), next: Self.afterV6)
                ),
                for: name
            )
        }
    }

    /// Whether an address is a virtual one, in use or not.
    package static func contains(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let bits): bits >> 24 == 240
        case .v6(let high, _): high >> 16 == v6High >> 16
        }
    }

    /// Gives a name its addresses; false when the name has some already or another name holds one of them.
    @discardableResult
    mutating func take(_ address: VirtualAddress, for name: ServiceName) -> Bool {
        guard addresses[name] == nil, holders[address.v4] == nil, holders[address.v6] == nil else { return false }
        addresses[name] = address
        holders[address.v4] = name
        holders[address.v6] = name
        return true
    }

    private mutating func release(_ name: ServiceName) {
        guard let address = addresses.removeValue(forKey: name) else { return }
        holders[address.v4] = nil
        holders[address.v6] = nil
    }

    /// The first free address from `start` on. Ends, as there are 250 times more addresses than names.
    private func free(_ start: IPAddress, next: (IPAddress) -> IPAddress) -> IPAddress {
        var candidate = start
        while holders[candidate] != nil { candidate = next(candidate) }
        return candidate
    }
}

// MARK: Addresses by hash

extension VirtualAddresses {
    /// The first 48 bits of every virtual IPv6 address: `weft` in ASCII behind the `fd` of local ranges.
    private static let v6High: UInt64 = 0xfd77_6566_7400_0000

    private static func prefix(_ first: IPAddress, _ length: Int) -> IPPrefix {
        guard let prefix = IPPrefix(first, length: length) else {
            preconditionFailure("\(length) is no length of a prefix of \(first)")
        }
        return prefix
    }

    /// Whether an address may be given to a service.
    static func isAllocatable(_ address: IPAddress) -> Bool {
        guard contains(address) else { return false }
        return switch address {
        // Some software takes a last byte of 0 or 255 for a network or a broadcast.
        case .v4(let bits): (1...254).contains(bits & 0xff)
        case .v6(let high, let low): high & 0xffff != 0 && low != 0
        }
    }

    private static func preferredV4(_ name: ServiceName) -> IPAddress {
        let hash = StableHash(name.text.utf8, purpose: 4).value
        // 65 536 blocks of 254 addresses.
        let number = UInt32(truncatingIfNeeded: hash % (65_536 * 254))
        return .v4(0xf000_0000 | (number / 254) << 8 | (number % 254 + 1))
    }

    private static func afterV4(_ address: IPAddress) -> IPAddress {
        guard case .v4(let bits) = address else { return address }
        var next = bits
        repeat {
            next = 0xf000_0000 | (next &+ 1) & 0x00ff_ffff
        } while !isAllocatable(.v4(next))
        return .v4(next)
    }

    private static func preferredV6(_ name: ServiceName) -> IPAddress {
        let subnet = StableHash(name.text.utf8, purpose: 6).value % 0xffff + 1
        let low = StableHash(name.text.utf8, purpose: 7).value
        return .v6(high: v6High | subnet, low: max(1, low))
    }

    private static func afterV6(_ address: IPAddress) -> IPAddress {
        guard case .v6(let high, let low) = address else { return address }
        return .v6(high: high, low: low == .max ? 1 : low + 1)
    }
}

import Testing
import WeftCore

@testable import WeftCatalog

/// Noon of a day in 2025, and `seconds` later.
func moment(_ seconds: Double = 0) -> Moment {
    Moment(
        monotonic: Instant(nanoseconds: UInt64(1_000_000_000 * (1000 + seconds))),
        wall: WallTime(millisecondsSince1970: 1_750_000_000_000 + Int64(seconds * 1000))
    )
}

func catalogue(_ name: String, startedAt seconds: Double = 0) throws -> Catalogue {
    Catalogue(own: try node(name), at: moment(seconds).wall)
}

extension Catalogue {
    /// Takes everything, which must be well-formed.
    @discardableResult
    mutating func mergeAll(_ payloads: [[UInt8]], now: Moment = moment()) throws -> [CatalogueChange] {
        var changes: [CatalogueChange] = []
        for payload in payloads { changes.append(try merge(payload, now: now)) }
        return changes
    }

    /// Makes a host alive at an address.
    mutating func meet(_ name: String, at address: String) throws -> CatalogueChange {
        nodeStateChanged(
            try node(name),
            to: .alive,
            address: try ip(address),
            now: moment().monotonic
        )
    }
}

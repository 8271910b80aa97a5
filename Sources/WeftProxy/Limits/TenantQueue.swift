internal import WeftCore

/// One request that waits for a place.
struct WaitingRequest: Sendable {
    let token: RequestToken
    /// Its number among all that have come.
    let number: UInt64
    let deadline: Instant
}

/// The places that a tenant holds, and its requests that wait, first come first.
///
/// A ring: taking from either end moves nothing, and the storage is used again.
struct TenantQueue: Sendable {
    var weight: Int
    var inFlight = 0
    private var ring: [WaitingRequest?] = []
    private var head = 0
    private(set) var count = 0

    init(weight: Int) { self.weight = weight }

    var first: WaitingRequest? { count == 0 ? nil : ring[head] }

    mutating func append(_ request: WaitingRequest) {
        if count == ring.count { grow() }
        ring[(head + count) % ring.count] = request
        count += 1
    }

    @discardableResult
    mutating func removeFirst() -> WaitingRequest? {
        guard count > 0 else { return nil }
        let request = ring[head]
        ring[head] = nil
        head = (head + 1) % ring.count
        count -= 1
        return request
    }

    mutating func removeLast() -> WaitingRequest? {
        guard count > 0 else { return nil }
        let place = (head + count - 1) % ring.count
        let request = ring[place]
        ring[place] = nil
        count -= 1
        return request
    }

    /// Takes one out of the middle; those behind it move up. Looks at each, which is rare enough: a client that leaves
    /// while it waits.
    mutating func remove(_ token: RequestToken) -> Bool {
        guard let offset = (0..<count).first(where: { ring[(head + $0) % ring.count]?.token == token }) else {
            return false
        }
        for index in offset..<count - 1 { ring[(head + index) % ring.count] = ring[(head + index + 1) % ring.count] }
        _ = removeLast()
        return true
    }

    private mutating func grow() {
        var larger: [WaitingRequest?] = []
        larger.reserveCapacity(max(8, 2 * ring.count))
        for index in 0..<count { larger.append(ring[(head + index) % ring.count]) }
        larger += Array(repeating: nil, count: max(8, 2 * count) - count)
        ring = larger
        head = 0
    }
}

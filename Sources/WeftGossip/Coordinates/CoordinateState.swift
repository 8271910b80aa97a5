internal import WeftCore

/// How far everybody is: this node's coordinate, and what it learned of each member that it has probed.
struct CoordinateState: Sendable {
    private(set) var model = VivaldiModel()
    /// Only members that were probed are in here; never iterated.
    private var peers: [MemberName: Peer] = [:]

    /// One answered direct ping. `reported` is nil when the member has no coordinate.
    mutating func learn(
        from name: MemberName,
        roundTrip: Duration,
        reported: Coordinate?,
        using rng: inout some RandomNumberGenerator
    ) {
        let seconds = roundTrip.inSeconds
        guard (0...VivaldiModel.roundTripMaximum).contains(seconds) else { return }
        let median = peers[name, default: Peer()].roundTrips.record(seconds)
        guard let reported else { return }
        peers[name, default: Peer()].place = CompactPlace(reported)
        model.update(roundTrip: median, other: reported, using: &rng)
    }

    /// The round trip to a member: measured if it was probed, else nil. Members that were never probed have told us no
    /// coordinate either: coordinates only travel in acks.
    func roundTrip(to name: MemberName) -> Duration? {
        guard let peer = peers[name] else { return nil }
        if let median = peer.roundTrips.median { return .nanoseconds(Int64((median * 1e9).rounded())) }
        guard let place = peer.place else { return nil }
        return model.coordinate.distance(to: place.coordinate).map { .nanoseconds(Int64(max(0, $0) * 1e9)) }
    }

    /// The coordinate that a member last told.
    func coordinate(of name: MemberName) -> Coordinate? { peers[name]?.place?.coordinate }

    mutating func forget(_ name: MemberName) { peers[name] = nil }

    /// What is known of one probed member.
    private struct Peer: Sendable {
        var roundTrips = MedianOfThree()
        var place: CompactPlace?
    }
}

/// The median of the last three round trips to one member: one late answer does not move us.
struct MedianOfThree: Sendable {
    /// In seconds; the oldest is overwritten.
    private var recent = SIMD3<Double>.zero
    private var count: UInt8 = 0
    private var next: UInt8 = 0

    /// Adds a round trip and returns the median: of two, the longer, as Serf has it.
    mutating func record(_ seconds: Double) -> Double {
        recent[Int(next)] = seconds
        next = (next + 1) % 3
        count = min(3, count + 1)
        return median ?? seconds
    }

    /// Nil before the first.
    var median: Double? {
        guard count > 0 else { return nil }
        let sorted = (0..<Int(count)).map { recent[$0] }.sorted()
        return sorted[sorted.count / 2]
    }
}

/// A member's coordinate in half the space: a float's 7 digits are more than a round trip is worth.
private struct CompactPlace: Sendable {
    let vector: SIMD8<Float>
    let rest: SIMD3<Float>

    init(_ coordinate: Coordinate) {
        vector = SIMD8<Float>(coordinate.vector)
        rest = SIMD3(Float(coordinate.error), Float(coordinate.adjustment), Float(coordinate.height))
    }

    var coordinate: Coordinate {
        Coordinate(
            vector: SIMD8<Double>(vector),
            error: Double(rest[0]),
            adjustment: Double(rest[1]),
            height: Double(rest[2])
        )
    }
}

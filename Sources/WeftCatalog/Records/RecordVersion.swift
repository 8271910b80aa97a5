internal import WeftCore

/// The number of a change to a host's records. Grows with every change that the host makes, across restarts too.
///
/// A host begins at its clock's seconds since 1970 times 65,536 and then counts its changes one by one. One that starts
/// again without its state is therefore ahead of what it said before, as long as it made fewer than 65,536 changes a
/// second. Should its clock have gone back, others still hold the greater version: the host learns of it from their
/// digests and jumps past it (`Catalogue+Publish.swift`).
enum RecordVersion {
    private static let changesPerSecond: UInt64 = 1 << 16
    /// How far ahead of this host's clock another one's may be. Beyond, a version is refused: nobody could be driven to
    /// the end of the numbers by a lie, and certificates would fail long before.
    private static let skewMaxSeconds: UInt64 = 30 * 24 * 3600

    /// Where a host that starts at this time begins; at least 1.
    static func start(at wall: WallTime) -> UInt64 { max(1, seconds(wall) * changesPerSecond) }

    /// The greatest version that is believed at this time.
    static func limit(at wall: WallTime) -> UInt64 { (seconds(wall) + skewMaxSeconds) * changesPerSecond }

    /// Held to 40 bits (the year 36,812), so that nothing computed from it overflows.
    private static func seconds(_ wall: WallTime) -> UInt64 {
        UInt64(max(0, min(wall.millisecondsSince1970 / 1000, 1 << 40)))
    }
}

/// The state of a host's records in two numbers: equal for those who hold the same.
package struct RecordSummary: Hashable, Sendable {
    package let version: UInt64
    /// Over all records that are live, in no order.
    package let hash: UInt64

    package init(version: UInt64, hash: UInt64) {
        self.version = version
        self.hash = hash
    }

    static let nothing = RecordSummary(version: 0, hash: 0)
}

extension RecordSummary: Comparable {
    /// By version. Two hashes of one version are a forgery or a host's twin; the greater wins, everywhere alike.
    package static func < (left: RecordSummary, right: RecordSummary) -> Bool {
        (left.version, left.hash) < (right.version, right.hash)
    }
}

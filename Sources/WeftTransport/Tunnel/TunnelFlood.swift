internal import WeftCore

/// Counts what a peer can send for nothing, beyond what the HTTP/2 library counts itself: WINDOW_UPDATEs, and streams that
/// are reset before they were answered ("rapid reset", CVE-2023-44487), each of which costs a dial.
struct TunnelFlood {
    /// Early resets within `resetWindow`: twice and a half the streams that a peer may have open.
    static let earlyResetsMax = 500
    static let resetWindow = Duration.seconds(10)
    /// Updates that are free, and those for each stream and DATA frame, as Envoy counts them (hbone.md section 4), with
    /// more room at the start.
    static let updatesFree = 1000
    static let updatesPerStream = 2
    static let updatesPerFrame = 20

    private var updates = 0
    private var updatesAllowed = updatesFree
    private var earlyResets = 0
    private var windowStart: Instant?
    private let earlyResetsAllowed: Int

    init(earlyResets allowed: Int = earlyResetsMax) { earlyResetsAllowed = allowed }

    mutating func streamOpened() { updatesAllowed += Self.updatesPerStream }

    mutating func dataSent() { updatesAllowed += Self.updatesPerFrame }

    /// False when it was one too many.
    mutating func updateReceived() -> Bool {
        updates += 1
        return updates <= updatesAllowed
    }

    /// False when it was one too many.
    mutating func earlyReset(now: Instant) -> Bool {
        if let start = windowStart, now - start < Self.resetWindow {
            earlyResets += 1
        } else {
            windowStart = now
            earlyResets = 1
        }
        return earlyResets <= earlyResetsAllowed
    }
}

internal import Glibc
internal import WeftCapture

/// What `weftd --cleanup` does: takes away what a weftd that is gone for good left behind. Needs no state of it.
package enum NetfilterCleanup {
    package enum Outcome: Sendable, Equatable {
        /// A live socket still owns a table: weftd, or systemd's store on its behalf. Nothing was touched.
        case ownerAlive
        /// Nothing of weft's is left, but for the closed table if that was to be kept.
        case removed(tables: [String], routingItems: Int)
    }

    /// Deletes weft's tables and routing state in the calling thread's network namespace, unless a live socket owns
    /// them.
    ///
    /// systemd may start the cleanup before it has dropped the descriptor store, so that an owner is given a moment to
    /// go.
    ///
    /// - Parameters:
    ///   - includingClosed: also takes the table that refuses users' connections while weft is away. False keeps what
    ///     `fail = "closed"` promised; true is for uninstalling.
    ///   - patience: how long to wait for an owner to go, in steps of 50 ms. The call blocks meanwhile.
    package static func removeLeftovers(
        includingClosed: Bool,
        patience: Duration = .seconds(2)
    ) throws(NetfilterError) -> Outcome {
        let session = try NetfilterSession()
        let operation = "removing what weftd left behind"
        var waited = Duration.zero
        while try session.readTables(operation).contains(where: { $0.owner != nil }) {
            guard waited < patience else { return .ownerAlive }
            usleep(50_000)
            waited += .milliseconds(50)
        }
        let tables = try session.readTables(operation).map(\.name).filter { includingClosed || $0 != Table.Name.closed }
        do {
            try session.remove(keepingClosed: !includingClosed)
        } catch let error where error.cause == .ownedByAnother {
            return .ownerAlive  // A new weftd came up just now.
        }
        let routing = try HostRouting()
        return .removed(tables: tables, routingItems: try routing.remove())
    }
}

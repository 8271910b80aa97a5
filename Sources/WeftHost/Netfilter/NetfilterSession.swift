internal import CNetfilter
internal import CWeftLinux
internal import Glibc
package import WeftCapture

/// The netlink socket that owns weft's tables, and everything that is done through it.
///
/// The kernel ties the tables to the socket, not to the process: they live as long as somebody holds the descriptor, be
/// it weftd or systemd's store on its behalf. Calls block for as long as the kernel takes (about 1 ms; 80 ms for 20 000
/// ranges), so that the daemon makes them on a thread of their own. Not Sendable: confined to that thread.
package final class NetfilterSession {
    let connection: NetlinkConnection
    /// What this session last installed; nil before that, so after adopting a socket as well.
    package private(set) var installed: Ruleset?

    /// Opens a session in the calling thread's network namespace.
    package init() throws(NetfilterError) {
        do {
            connection = try NetlinkConnection(protocolNumber: NETLINK_NETFILTER)
        } catch {
            throw NetfilterError(operation: "opening a netfilter socket", failure: error)
        }
    }

    /// Goes on with a socket of an earlier process, and with the tables that it owns. The session closes the
    /// descriptor, at once when this throws.
    package init(adopting descriptor: Int32) throws(NetfilterError) {
        do {
            connection = try NetlinkConnection(adopting: descriptor)
        } catch {
            throw NetfilterError(operation: "adopting a netfilter socket", failure: error)
        }
    }

    /// To be put into systemd's file descriptor store. Stays the session's.
    package var descriptor: Int32 { connection.descriptor }

    /// Makes the ruleset what the kernel has of weft's, whatever it had before, in one transaction: there is no moment
    /// without rules, and after an error everything is as it was.
    package func apply(_ ruleset: Ruleset) throws(NetfilterError) {
        let operation = "installing the capture rules"
        // A table that goes away between looking and deleting makes the transaction fail; one more look settles that.
        do {
            try replace(with: ruleset, operation)
        } catch let error where error.cause == .unsupported || error.cause == .conflict {
            try replace(with: ruleset, operation)
        }
        installed = ruleset
    }

    /// Changes members of sets in one transaction; the structure must be what `apply` installed.
    package func apply(_ changes: [ElementChange]) throws(NetfilterError) {
        var batch = newBatch()
        for change in changes {
            batch.delete(change.removed, set: change.set, kind: change.kind, table: change.table)
            batch.add(change.added, set: change.set, kind: change.kind, table: change.table)
        }
        batch.end()
        try commit(batch, "changing the capture rules")
    }

    /// Goes from what is installed to `ruleset` by the smallest means: nothing, elements, or the whole.
    ///
    /// - Returns: what was done. Elements that the kernel refuses lead to a replacement of the whole.
    @discardableResult
    package func update(to ruleset: Ruleset) throws(NetfilterError) -> RulesetDifference {
        let difference = installed.map { RulesetDifference(from: $0, to: ruleset) } ?? .replace
        switch difference {
        case .none: return .none
        case .elements(let changes):
            do {
                try apply(changes)
                installed = ruleset
                return difference
            } catch {
                try apply(ruleset)
                return .replace
            }
        case .replace:
            try apply(ruleset)
            return .replace
        }
    }

    /// Takes away all of weft's tables.
    ///
    /// - Parameter keepingClosed: leaves the table that refuses users' connections while weft is away.
    package func remove(keepingClosed: Bool = false) throws(NetfilterError) {
        let operation = "removing the capture rules"
        let present = try ownTables(operation).filter { !(keepingClosed && $0.name == Table.Name.closed) }
        installed = nil
        guard !present.isEmpty else { return }
        var batch = newBatch()
        for table in present { batch.delete(table: table.name) }
        batch.end()
        try commit(batch, operation)
    }

    // MARK: Transactions

    private func replace(with ruleset: Ruleset, _ operation: String) throws(NetfilterError) {
        let present = try ownTables(operation)
        var batch = newBatch()
        // Deleting what is there, rather than NEWTABLE first, also works on a table that has other flags or no owner.
        for table in present { batch.delete(table: table.name) }
        for table in ruleset.tables { batch.add(table) }
        batch.end()
        try commit(batch, operation)
    }

    /// Those of weft's tables that exist and that this session may change.
    private func ownTables(_ operation: String) throws(NetfilterError) -> [KernelTable] {
        let tables = try readTables(operation)
        if let foreign = tables.first(where: { $0.owner != nil && $0.owner != connection.portID }) {
            throw NetfilterError(
                operation: operation,
                table: foreign.name,
                owner: foreign.owner ?? 0,
                process: processName(of: foreign.owner ?? 0)
            )
        }
        return tables
    }

    func newBatch() -> NetfilterBatch {
        NetfilterBatch(firstSequence: connection.takeSequence(NetfilterBatch.messagesMax))
    }

    private func commit(_ batch: borrowing NetfilterBatch, _ operation: String) throws(NetfilterError) {
        let refusals = try send(batch, operation)
        guard let first = refusals.first else { return }
        throw NetfilterError(
            operation: operation,
            refusals: refusals.map(\.refusal),
            isWhole: first.index == 0
        )
    }

    /// Sends a batch and collects what the kernel refused; each message is answered on its own, silence is success. The
    /// kernel works inside the call, so that all answers have arrived when it returns.
    func send(
        _ batch: borrowing NetfilterBatch,
        _ operation: String
    ) throws(NetfilterError) -> [(index: Int, refusal: NetfilterError.Refusal)] {
        guard batch.bytes.count <= NetfilterBatch.bytesMax, batch.messages.count <= Int(NetfilterBatch.messagesMax)
        else {
            throw NetfilterError(operation: operation, bytes: batch.bytes.count, bytesMax: NetfilterBatch.bytesMax)
        }
        var refusals: [(index: Int, refusal: NetfilterError.Refusal)] = []
        let messages = batch.messages
        let first = batch.firstSequence
        do {
            try connection.send(batch.bytes)
            try connection.drain { answer in
                guard let code = answer.errorCode, code != 0, let sequence = answer.refusedSequence, sequence >= first,
                    Int(sequence - first) < messages.count
                else { return }
                let index = Int(sequence - first)
                let refusal = NetfilterError.Refusal(
                    message: messages[index],
                    code: code,
                    kernelText: answer.kernelText
                )
                refusals.append((index, refusal))
            }
        } catch {
            throw NetfilterError(operation: operation, failure: error)
        }
        return refusals
    }

    /// The process that a netlink port is named for, if it still runs: usually the owner, but only a hint.
    private func processName(of port: UInt32) -> String? {
        let descriptor = open("/proc/\(port)/comm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var name = [UInt8](repeating: 0, count: 16)
        let length = read(descriptor, &name, name.count)
        guard length > 1 else { return nil }
        return "\(String(decoding: name[..<(length - 1)], as: UTF8.self)), pid \(port)"
    }
}

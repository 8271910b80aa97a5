internal import Glibc

extension NetfilterError {
    /// Reads the kernel's refusals the way capture.md section 2.4 does.
    ///
    /// - Parameter isWhole: whether the transaction itself was refused, before any message in it.
    init(operation: String, refusals: [Refusal], isWhole: Bool) {
        let codes = Set(refusals.map(\.code))
        let (cause, reason, remedy) =
            if isWhole, codes.contains(EPERM) {
                Self.withoutCapability
            } else if codes == [EPERM] {
                (
                    Cause.ownedByAnother, "the table belongs to another process",
                    "another weftd may be running: see `nft list tables` and `systemctl status weftd`"
                )
            } else {
                Self.explanation(of: refusals.first { $0.code != EPERM }?.code ?? 0)
            }
        self.init(cause: cause, operation: operation, refusals: refusals, reason: reason, remedy: remedy)
    }

    /// A system call that failed.
    init(operation: String, failure: NetlinkFailure) {
        let (cause, reason, remedy) =
            failure.code == EPERM ? Self.withoutCapability : Self.explanation(of: failure.code)
        self.init(
            cause: cause,
            operation: operation,
            refusals: [],
            reason: "\(failure.call): \(NetfilterErrorName.of(failure.code)), \(reason)",
            remedy: remedy
        )
    }

    /// A table of weft's that a live netlink socket holds.
    init(operation: String, table: String, owner: UInt32, process: String?) {
        let who = process.map { "\($0), netlink port \(owner)" } ?? "netlink port \(owner)"
        self.init(
            cause: .ownedByAnother,
            operation: operation,
            refusals: [],
            reason: "table inet \(table) belongs to another process (\(who))",
            remedy: "stop the other weftd (`systemctl stop weftd`), or let systemd drop its file descriptor store"
        )
    }

    /// A transaction beyond the bound that weft sets itself.
    init(operation: String, bytes: Int, bytesMax: Int) {
        self.init(
            cause: .tooLarge,
            operation: operation,
            refusals: [],
            reason: "the transaction has \(bytes) bytes, at most \(bytesMax) are sent",
            remedy: "exclude fewer single addresses, or use scope \"all\""
        )
    }

    private static let withoutCapability: (Cause, String, String) = (
        .notPermitted, "weftd has no CAP_NET_ADMIN in this network namespace",
        "start it by its systemd unit, or give the unit AmbientCapabilities=CAP_NET_ADMIN"
    )

    private static func explanation(of code: Int32) -> (Cause, String, String) {
        switch code {
        case ENOENT:
            (
                .unsupported, "the kernel knows no such expression, or a set, chain or table that it refers to is gone",
                "look at `weft check` for what this kernel lacks; capture is installed anew at the next `weft on`"
            )
        case EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT:
            (
                .unsupported, "the kernel does not support this, or the table exists with other properties",
                "look at `weft check`, and delete a left-over table with `nft delete table inet weft`"
            )
        case EINVAL, ERANGE:
            (.unsupported, "the kernel does not accept this form", "look at `weft check` and report the refused rule")
        case EEXIST:
            (
                .conflict, "something of that name, or an overlapping element, is already there",
                "`weft off` and `weft on` install capture anew"
            )
        case EBUSY:
            (.conflict, "the kernel still uses what was to be changed", "try again; `weft off` and `weft on`")
        case EMSGSIZE:
            (
                .tooLarge, "the transaction is larger than the socket's send buffer",
                "give weftd CAP_NET_ADMIN, which lifts that limit, or exclude fewer addresses"
            )
        case ENOBUFS, ENOMEM, ENOSPC, EMFILE, ENFILE:
            (.exhausted, "the kernel is short of memory, buffers or descriptors", "free some and try again")
        default:
            (.other, "the kernel answered \(NetfilterErrorName.of(code))", "see the kernel's log (`journalctl -k`)")
        }
    }
}

/// Why the kernel did not do what capture wanted, for people.
package struct NetfilterError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Cause: Sendable, Equatable {
        /// No CAP_NET_ADMIN in this network namespace.
        case notPermitted
        /// A table of weft's name belongs to another netlink socket.
        case ownedByAnother
        /// The kernel lacks something, or knows it in another form.
        case unsupported
        /// What is installed is not what was expected.
        case conflict
        /// More than one transaction can carry.
        case tooLarge
        /// The kernel is short of memory or buffers.
        case exhausted
        case other
    }

    package let cause: Cause
    /// What was being done, such as `installing the capture rules`.
    package let operation: String
    /// What the kernel refused, in order; empty when the call itself failed.
    package let refusals: [Refusal]
    package let reason: String
    /// What to do about it.
    package let remedy: String

    /// One message of a transaction, and the kernel's answer to it.
    package struct Refusal: Sendable, Equatable, CustomStringConvertible {
        /// What the message was: a table, a set, a chain, or a rule in nft's language.
        package let message: String
        package let code: Int32
        /// The kernel's own words, where it has any.
        package let kernelText: String?

        package var description: String {
            let words = kernelText.map { " (\($0))" } ?? ""
            return "\(message): \(NetfilterErrorName.of(code))\(words)"
        }
    }

    /// As many refusals as help; one fault often has many.
    package var description: String {
        let shown = refusals.prefix(3).map(\.description)
        let more = refusals.count > 3 ? ["and \(refusals.count - 3) more"] : []
        let detail = refusals.isEmpty ? "" : " [\((shown + more).joined(separator: "; "))]"
        return "\(operation) failed: \(reason)\(detail); \(remedy)"
    }
}

/// Names of the error codes that nf_tables and rtnetlink answer.
enum NetfilterErrorName {
    static func of(_ code: Int32) -> String {
        names.first { $0.0 == code }?.1 ?? "error \(code)"
    }

    private static let names: [(Int32, String)] = [
        (1, "EPERM"), (2, "ENOENT"), (3, "ESRCH"), (4, "EINTR"), (6, "ENXIO"), (11, "EAGAIN"), (12, "ENOMEM"),
        (13, "EACCES"), (16, "EBUSY"), (17, "EEXIST"), (19, "ENODEV"), (22, "EINVAL"), (23, "ENFILE"), (24, "EMFILE"),
        (28, "ENOSPC"), (31, "EMLINK"), (34, "ERANGE"), (75, "EOVERFLOW"), (90, "EMSGSIZE"), (91, "EPROTOTYPE"),
        (93, "EPROTONOSUPPORT"), (95, "EOPNOTSUPP"), (97, "EAFNOSUPPORT"), (101, "ENETUNREACH"), (105, "ENOBUFS"),
        (110, "ETIMEDOUT"),
    ]
}

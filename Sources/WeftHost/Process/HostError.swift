internal import Glibc

/// Something that the host did not do for weft: what was tried, with its values, why it failed and what helps.
package struct HostError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why it failed.
    package enum Reason: Sendable, Equatable {
        /// A system call's or netlink request's error number.
        case system(CInt)
        /// An answer, a file or a variable that is not of the form that it must have.
        case malformed(String)
        /// More than this many bytes or entries.
        case overLimit(Int)
    }

    /// Such as `open /var/lib/weft/addresses`.
    package let operation: String
    package let reason: Reason
    /// What to do about it; empty when nothing general can be said.
    package let remedy: String

    package init(_ operation: String, _ reason: Reason, remedy: String = "") {
        self.operation = operation
        self.reason = reason
        self.remedy = remedy
    }

    /// A failed system call, with `errno` as it is now.
    static func errno(_ operation: String, remedy: String = "") -> HostError {
        HostError(operation, .system(Glibc.errno), remedy: remedy)
    }

    package var description: String {
        let cause =
            switch reason {
            case .system(let code): "\(String(cString: strerror(code))) (errno \(code))"
            case .malformed(let text): text
            case .overLimit(let limit): "more than the \(limit) allowed"
            }
        return "\(operation): \(cause)" + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}

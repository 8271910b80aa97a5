/// What to do with the keys of every member (section 9).
package enum KeyOperation: Sendable, Equatable {
    /// Tell which keys are installed where.
    case list
    /// Add a key that may decrypt; 16, 24 or 32 bytes.
    case install([UInt8])
    /// Encrypt with an installed key from now on. Members that miss it are cut off: look with `list` first.
    case use([UInt8])
    /// Forget a key that is not the primary one.
    case remove([UInt8])
}

extension KeyOperation: CustomStringConvertible {
    /// Never the key.
    package var description: String {
        switch self {
        case .list: "list"
        case .install(let key): "install(\(key.count) bytes, redacted)"
        case .use(let key): "use(\(key.count) bytes, redacted)"
        case .remove(let key): "remove(\(key.count) bytes, redacted)"
        }
    }
}

/// How a key operation went on each member.
package struct KeyOutcome: Sendable, Equatable {
    package let query: QueryKey
    package let operation: KeyOperation
    /// Live members when the operation began: as many answers are expected.
    package let expected: Int
    /// One entry per member that answered, in the order of answers.
    package let results: [KeyResult]

    /// Every live member answered, and none with an error.
    package var isComplete: Bool { results.count >= expected && results.allSatisfy { $0.succeeded } }
}

/// One member's answer to a key operation.
package struct KeyResult: Sendable, Equatable {
    package let node: MemberName
    package let succeeded: Bool
    /// The member's explanation; empty when there is none.
    package let message: String
    /// For `list`: the keys it has, in base64.
    package let keys: [String]
    /// For `list`: the key it encrypts with, in base64; nil from members too old to say.
    package let primary: String?
}

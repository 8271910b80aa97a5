/// The name of a service: what its users call it. Lower-case letters, digits, `-`, `_` and `.`, 1 to 63 bytes, starting
/// with a letter or a digit.
package struct ServiceName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil when the text breaks a rule above.
    package init?(_ text: String) {
        guard isName(text, maximum: 63) else { return nil }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: ServiceName, right: ServiceName) -> Bool { left.text < right.text }
}

/// Whose a workload is: `system`, `user-UID`, or the name of its slice. The same letters as a service name, 1 to 63 bytes.
package struct TenantName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Nil when the text breaks a rule above.
    package init?(_ text: String) {
        guard isName(text, maximum: 63) else { return nil }
        self.text = text
    }

    private init(known text: String) { self.text = text }

    /// Everything in system.slice, and the host itself.
    package static let system = TenantName(known: "system")

    /// Clients on other hosts that show no identity.
    package static let remote = TenantName(known: "remote")

    /// The tenant of a login user's slice.
    package static func user(_ uid: UserID) -> TenantName { TenantName(known: "user-\(uid.number)") }

    package var description: String { text }

    package static func < (left: TenantName, right: TenantName) -> Bool { left.text < right.text }
}

/// A numeric user id of this host.
package struct UserID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package static let root = UserID(0)

    package var description: String { "\(number)" }

    package static func < (left: UserID, right: UserID) -> Bool { left.number < right.number }
}

/// A control group's id: the inode number of its directory in cgroup2. Never used twice between two boots; a restarted
/// unit has a new one.
package struct CgroupID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package var description: String { "\(number)" }

    package static func < (left: CgroupID, right: CgroupID) -> Bool { left.number < right.number }
}

func isName(_ text: String, maximum: Int) -> Bool {
    let bytes = text.utf8
    guard (1...maximum).contains(bytes.count), let head = bytes.first else { return false }
    func isWordByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    return isWordByte(head)
        && bytes.allSatisfy {
            isWordByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
}

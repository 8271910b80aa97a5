internal import Glibc
package import WeftCore

/// Users and groups by name and number (NSS). May read files or ask a directory service: not for event loops.
package enum UserDatabase {
    /// Memberships of one user.
    package static let groupsMax = 65_536
    /// One entry with all its text; groups can have very many members.
    private static let entryBytesMax = 16 << 20

    /// Nil when there is no such user.
    package static func uid(ofName name: String) throws(HostError) -> UserID? {
        try entry("look up user \(name)", passwd()) {
            getpwnam_r(name, $0, $1, $2, $3)
        } read: {
            UserID($0.pw_uid)
        }
    }

    /// Nil when the user has no name.
    package static func name(of uid: UserID) throws(HostError) -> String? {
        try entry("look up user \(uid)", passwd()) {
            getpwuid_r(uid.number, $0, $1, $2, $3)
        } read: {
            $0.pw_name.map { String(cString: $0) }
        } ?? nil
    }

    /// Nil when there is no such group.
    package static func gid(ofGroup name: String) throws(HostError) -> GroupID? {
        try entry("look up group \(name)", group()) {
            getgrnam_r(name, $0, $1, $2, $3)
        } read: {
            GroupID($0.gr_gid)
        }
    }

    /// All groups that a user is in, its primary one included, ascending; empty when there is no such user.
    package static func groups(of uid: UserID) throws(HostError) -> [GroupID] {
        let operation = "look up user \(uid)"
        let found =
            try entry(operation, passwd()) {
                getpwuid_r(uid.number, $0, $1, $2, $3)
            } read: { entry in
                entry.pw_name.map { (name: String(cString: $0), primary: entry.pw_gid) }
            } ?? nil
        guard let (name, primary) = found else { return [] }
        var capacity: CInt = 64
        while true {
            var groups = [gid_t](repeating: 0, count: Int(capacity))
            var count = capacity
            if getgrouplist(name, primary, &groups, &count) >= 0 {
                return groups.prefix(Int(count)).map(GroupID.init).sorted()
            }
            guard capacity < CInt(groupsMax) else {
                throw HostError("list the groups of user \(name)", .overLimit(groupsMax))
            }
            capacity = min(CInt(groupsMax), max(count, capacity * 2))
        }
    }

    /// Calls one of the `_r` functions with a buffer that grows until the entry fits. Errors that only mean "no such
    /// entry" are nil.
    private static func entry<Entry, Result>(
        _ operation: String,
        _ empty: Entry,
        _ call: (
            UnsafeMutablePointer<Entry>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>
        ) -> CInt,
        read: (Entry) -> Result
    ) throws(HostError) -> Result? {
        var size = 4096
        while true {
            var storage = empty
            var found: UnsafeMutablePointer<Entry>?
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let code = call(&storage, buffer, size, &found)
            switch code {
            case 0:
                return found == nil ? nil : read(storage)
            case ENOENT, ESRCH, EBADF, EPERM:
                return nil
            case EINTR:
                continue
            case ERANGE where size < entryBytesMax:
                size *= 4
            default:
                throw HostError(operation, .system(code))
            }
        }
    }
}

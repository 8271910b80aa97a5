internal import WeftCore
internal import WeftHost

/// Who asks over the Unix socket, by the kernel's word (SO_PEERCRED).
struct Viewer: Sendable, Equatable {
    let uid: UserID
    /// Root, or a member of group `weft`: sees everything.
    let seesAll: Bool

    /// Changing things is root's.
    var mayChange: Bool { uid == .root }

    /// The group whose members read everything.
    static let group = "weft"

    init(uid: UserID, seesAll: Bool) {
        self.uid = uid
        self.seesAll = seesAll
    }

    /// Looks the caller up in the user database. Blocking: files, or whatever nsswitch.conf names.
    init(_ peer: PeerCredentials) {
        let uid = UserID(peer.uid)
        self.init(uid: uid, seesAll: uid == .root || Self.isMember(uid, GroupID(peer.gid)))
    }

    private static func isMember(_ uid: UserID, _ primary: GroupID) -> Bool {
        // A user database that does not answer makes nobody a member.
        guard let weft = try? UserDatabase.gid(ofGroup: Self.group) else { return false }
        return primary == weft || (try? UserDatabase.groups(of: uid).contains(weft)) ?? false
    }

    /// An ordinary user sees what belongs to its own uid.
    func sees(_ owner: UserID?) -> Bool { seesAll || owner == uid }
}

/// `struct ucred` of unix(7).
struct PeerCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
}

/// Why a command was refused. The node is as it was before.
package enum GossipError: Error, Sendable, Equatable {
    /// The node is leaving or has left.
    case leaving
    /// No member has this name.
    case unknownMember(MemberName)
    /// The member has no tag `weft`: it would not understand.
    case notWeft(MemberName)
    /// What was to be sent is longer than `limit` bytes.
    case tooLong(byteCount: Int, limit: Int)
    /// A name is empty.
    case emptyName
    /// More than `limit` queries are running.
    case tooManyQueries(limit: Int)
    /// The query is over, was answered already, or was never asked.
    case noSuchQuery
    /// A key has another length than 16, 24 or 32 bytes.
    case key(byteCount: Int)
    /// More keys than `limit`.
    case keyCount(Int, limit: Int)
    /// The node does not speak encrypted: there are no keys to change, or they would be told to everybody.
    case notEncrypted
    /// More addresses than `limit` were given to a join, or none.
    case addressCount(Int, limit: Int)
}

internal import WeftCore
internal import WeftHost

/// User names of the configuration, looked up once each: the rules are computed often, users change rarely.
final class UserNames {
    private var known: [String: UserID] = [:]

    /// Nil when there is no such user (yet); the next call looks again.
    func id(of name: String) -> UserID? {
        if let id = known[name] { return id }
        // A database that cannot be read is as good as one without the user: both are shown as a problem.
        guard let id = try? UserDatabase.uid(ofName: name) else { return nil }
        known[name] = id
        return id
    }
}

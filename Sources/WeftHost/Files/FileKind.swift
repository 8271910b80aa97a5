internal import CWeftLinux
internal import Glibc

/// What stands at a path.
package enum FileKind: Sendable, Equatable {
    case nothing
    case socket
    /// A file, a directory, a symbolic link (which is not followed), or something that may not be looked at.
    case other

    package init(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            self = errno == ENOENT ? .nothing : .other
            return
        }
        self = status.st_mode & S_IFMT == S_IFSOCK ? .socket : .other
    }
}

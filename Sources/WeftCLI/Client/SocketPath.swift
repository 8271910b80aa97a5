internal import WeftAPI

/// Where weftd listens: a path that a Unix socket address can hold.
package struct SocketPath: Sendable, Equatable, CustomStringConvertible {
    package let path: String

    /// `sun_path` of unix(7) has 108 bytes, the last of them zero.
    package static let maximumBytes = 107

    /// Throws `DaemonError.badSocketPath` for a path that is empty, too long or holds a zero byte.
    package init(_ path: String) throws(DaemonError) {
        let bytes = path.utf8
        guard !bytes.isEmpty else { throw .badSocketPath(path, reason: "it is empty") }
        guard bytes.count <= Self.maximumBytes else {
            throw .badSocketPath(
                path,
                reason: "it has \(bytes.count) bytes, and a socket's has \(Self.maximumBytes) at most"
            )
        }
        guard !bytes.contains(0) else { throw .badSocketPath(path, reason: "it holds a zero byte") }
        self.path = path
    }

    package var description: String { path }
}

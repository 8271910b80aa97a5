internal import Glibc
internal import Synchronization

/// State files that are never seen half-written: not by a reader, and not after a crash or a loss of power.
package enum AtomicFile {
    /// Puts `bytes` in the place of the file at `path`, with exactly the permission bits `mode`.
    ///
    /// Writes a temporary file beside it, syncs it, renames it over `path` and syncs the directory. When this throws
    /// before the rename, the old file is untouched and the temporary one is gone; when only the last sync fails, the
    /// new content is in place but may not survive a loss of power, and the error says so. Replaces a symbolic link
    /// rather than its target. Blocks: not for event loops.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(HostError) {
        let (directory, name) = try split(path)
        let temporary = "\(directory)/.\(name).\(getpid())-\(counter.add(1, ordering: .relaxed).newValue).tmp"
        // A file of this name can only be left from an earlier process with our number.
        unlink(temporary)
        do throws(HostError) {
            try fill(temporary, with: bytes, mode: mode)
            guard rename(temporary, path) == 0 else { throw HostError.errno("rename \(temporary) to \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncDirectory(directory)
    }

    /// Tells apart the temporary files of concurrent writers.
    private static let counter = Atomic<UInt64>(0)

    private static func split(_ path: String) throws(HostError) -> (directory: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/"), path.index(after: slash) < path.endIndex else {
            throw HostError("write \(path)", .malformed("not an absolute path to a file"))
        }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), path[path.index(after: slash)...])
    }

    private static func fill(_ path: String, with bytes: [UInt8], mode: UInt32) throws(HostError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        guard descriptor >= 0 else { throw HostError.errno("create \(path)") }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw HostError.errno("write \(path)", remedy: "make room on its file system") }
            written += count
        }
        // Not by open(), whose mode the umask cuts.
        guard fchmod(descriptor, mode_t(mode)) == 0 else { throw HostError.errno("set the mode of \(path)") }
        guard fsync(descriptor) == 0 else { throw HostError.errno("sync \(path)") }
    }

    private static func syncDirectory(_ path: String) throws(HostError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HostError.errno("open directory \(path) to sync it") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw HostError.errno("sync directory \(path)") }
    }
}

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The few things that `StateStore` does to a file system, one by one, so that a test can stop, fail or look between any
/// two. Whoever implements it sees keys: there is `DiskFiles`, and there are tests.
package protocol StateFiles: Sendable {
    /// Makes a directory of mode 0700 unless there is one.
    func makeDirectory(_ path: String) throws(StateFileError)
    /// The content and the mode of a file; nil when there is none. Reads no more than `maximum` bytes and one.
    func read(_ path: String, maximum: Int) throws(StateFileError) -> StateFile?
    /// Makes a file of mode 0600 that was not there, with this content. It may be left incomplete when this throws.
    func create(_ path: String, _ content: [UInt8]) throws(StateFileError)
    /// Has the content of a file on disk when it returns.
    func sync(_ path: String) throws(StateFileError)
    /// Puts a file in the place of another, at once.
    func rename(_ path: String, to target: String) throws(StateFileError)
    /// Has the names in a directory on disk when it returns.
    func syncDirectory(_ path: String) throws(StateFileError)
    /// Removes a file, if it is there.
    func remove(_ path: String) throws(StateFileError)
}

/// A file as it was read.
package struct StateFile: Sendable {
    package let content: [UInt8]
    /// The permission bits.
    package let mode: UInt32

    package init(content: [UInt8], mode: UInt32) {
        self.content = content
        self.mode = mode
    }
}

/// A call that failed: which, on what, and the number that the kernel gave.
package struct StateFileError: Error, Sendable, Equatable, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let number: Int32

    package init(_ operation: String, _ path: String, number: Int32) {
        self.operation = operation
        self.path = path
        self.number = number
    }

    package var description: String { "cannot \(operation) \(path): \(String(cString: strerror(number)))\(remedy)" }

    private var remedy: String {
        switch number {
        case ENOSPC, EDQUOT: "; make room on its file system, nothing was changed"
        case EROFS: "; its file system is read-only"
        case EACCES, EPERM: "; it has to belong to the user that weftd runs as"
        default: ""
        }
    }
}

/// The real file system. Blocks: not for event loops.
package struct DiskFiles: StateFiles {
    package init() {}

    package func makeDirectory(_ path: String) throws(StateFileError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make directory", path) }
        // An older one may be open to others, and the umask may have made a new one too narrow.
        guard chmod(path, 0o700) == 0 else { throw failure("set the mode of", path) }
    }

    package func read(_ path: String, maximum: Int) throws(StateFileError) -> StateFile? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("look at", path) }
        // A pipe or a device would block or never end.
        guard status.st_mode & S_IFMT == S_IFREG else { throw StateFileError("read", path, number: EINVAL) }
        var content = [UInt8](repeating: 0, count: min(Int(status.st_size), maximum) + 1)
        var count = 0
        while count < content.count {
            let got = content.withUnsafeMutableBytes { buffer in
                systemRead(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw failure("read", path) }
            if got == 0 { break }
            count += got
        }
        return StateFile(content: Array(content.prefix(count)), mode: UInt32(status.st_mode & 0o7777))
    }

    package func create(_ path: String, _ content: [UInt8]) throws(StateFileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", path) }
        defer { close(descriptor) }
        var count = 0
        while count < content.count {
            let put = content.withUnsafeBytes { buffer in
                systemWrite(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw failure("write", path) }
            count += put
        }
    }

    package func sync(_ path: String) throws(StateFileError) { try sync(path, O_RDONLY | O_NOFOLLOW) }

    package func rename(_ path: String, to target: String) throws(StateFileError) {
        guard systemRename(path, target) == 0 else { throw failure("rename to \(target)", path) }
    }

    package func syncDirectory(_ path: String) throws(StateFileError) { try sync(path, O_RDONLY | O_DIRECTORY) }

    package func remove(_ path: String) throws(StateFileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    private func sync(_ path: String, _ flags: Int32) throws(StateFileError) {
        let descriptor = open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", path) }
    }

    private func failure(_ operation: String, _ path: String) -> StateFileError {
        StateFileError(operation, path, number: errno)
    }
}

// The names of the system's calls are those of the methods above.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}

private func systemRename(_ path: String, _ target: String) -> Int32 { rename(path, target) }

/// Where a host's identity is kept over restarts and losses of power: one file, replaced whole.
///
/// ```
/// /var/lib/weft/identity        0700
/// /var/lib/weft/identity/state  0600   "weft state 1\n" | length, 4 | content | SHA-256 of all before, 32
/// ```
///
/// One file, because what changes together has to survive together: a key with its chain, a token's use with nothing
/// half-counted, a root with its bundle. Each change writes a temporary file beside it, syncs it, renames it over the
/// old one and syncs the directory. After any prefix of these the directory holds the old state or the new one; a
/// temporary file that was left over is ignored and removed by the next change. A full disk leaves the old state.
///
/// For one writer, the daemon. Blocks: not for event loops.
package struct StateStore: Sendable {
    /// Larger files are refused unread.
    package static let bytesMax = 8 * 1024 * 1024
    private static let magic = Array("weft state 1\n".utf8)

    private let directory: String
    private let files: any StateFiles

    /// - Parameter directory: without a slash at the end; made when it is missing, its parent is not.
    package init(directory: String, files: any StateFiles = DiskFiles()) {
        self.directory = directory
        self.files = files
    }

    private var path: String { "\(directory)/state" }
    private var temporary: String { "\(directory)/.state.tmp" }

    /// What is kept; nil on a host that has never kept anything.
    package func load() throws(StateStoreError) -> IdentityState? {
        let file: StateFile?
        do {
            file = try files.read(path, maximum: Self.bytesMax)
        } catch {
            throw .file(error)
        }
        guard let file else { return nil }
        guard file.mode & 0o077 == 0 else { throw .open(path: path, mode: file.mode) }
        guard file.content.count <= Self.bytesMax else { throw .corrupt(path: path, what: "its size") }
        return try decode(file.content)
    }

    /// Keeps `state` in the place of what is there. When it throws, the old state is kept, but for one case: when the
    /// last step fails, the new one is there and may not outlive a loss of power.
    package func save(_ state: IdentityState) throws(StateStoreError) {
        let content: [UInt8]
        do {
            content = try state.encoded
        } catch {
            throw .unkeepable(error.description)
        }
        guard state.extras.count <= IdentityState.extrasMax,
            state.extras.allSatisfy({ $0.key.utf8.count <= 64 && $0.value.count <= IdentityState.extraBytesMax })
        else { throw .unkeepable("too many or too large extras") }
        var writer = WireWriter()
        writer.raw(Self.magic)
        writer.blob(content)
        writer.raw(Fingerprint(of: writer.bytes).bytes)
        guard writer.bytes.count <= Self.bytesMax else { throw .unkeepable("\(writer.bytes.count) bytes") }
        do {
            try replace(with: writer.bytes)
        } catch {
            throw .file(error)
        }
    }

    private func replace(with content: [UInt8]) throws(StateFileError) {
        try files.makeDirectory(directory)
        try files.remove(temporary)
        do {
            try files.create(temporary, content)
            try files.sync(temporary)
            try files.rename(temporary, to: path)
        } catch {
            // Half a file on a full disk is in the way of everything else; the first failure is what matters, and the
            // next change removes what cannot be removed now.
            try? files.remove(temporary)
            throw error
        }
        try files.syncDirectory(directory)
    }

    private func decode(_ bytes: [UInt8]) throws(StateStoreError) -> IdentityState {
        guard bytes.starts(with: Self.magic) else { throw .corrupt(path: path, what: "its heading") }
        guard bytes.count >= Self.magic.count + 4 + Fingerprint.byteCount,
            Fingerprint(of: bytes.dropLast(Fingerprint.byteCount)).bytes == Array(bytes.suffix(Fingerprint.byteCount))
        else { throw .corrupt(path: path, what: "its checksum") }
        do {
            var reader = WireReader(Array(bytes.dropFirst(Self.magic.count).dropLast(Fingerprint.byteCount)))
            let content = try reader.blob("content", maximum: Self.bytesMax)
            try reader.end()
            return try IdentityState(encoded: content)
        } catch {
            throw .corrupt(path: path, what: "\(error.what), byte \(error.offset)")
        }
    }
}

/// Why the identity could not be loaded or kept. `description` is for people.
package enum StateStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    case file(StateFileError)
    /// Others than the owner can read it.
    case open(path: String, mode: UInt32)
    /// Damaged, or of a later version.
    case corrupt(path: String, what: String)
    case unkeepable(String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .open(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)): others could read its keys; chmod 600 \(path), and if they "
                + "may have, join again with a new token"
        case .corrupt(let path, let what):
            "\(path) is damaged or of a later version (\(what)); restore it from a backup, or move it away and join "
                + "again with a new token"
        case .unkeepable(let what): "the identity cannot be kept: \(what)"
        }
    }
}

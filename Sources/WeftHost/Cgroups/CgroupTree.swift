internal import CWeftLinux
internal import Glibc
internal import WeftCore

/// The cgroup2 tree as id -> path, kept current by inotify.
///
/// Walked once, then told by the kernel: every directory is watched before it is read, so that what appears in between
/// shows up twice rather than never. Where watches run out (fs.inotify.max_user_watches) or events were lost, it says
/// so and wants to be rescanned. Holds at most `directoriesMax` directories and ignores the rest.
/// Confined to one thread.
final class CgroupTree {
    /// What became different since the last question.
    struct Changes {
        var appeared: [CgroupID: String] = [:]
        var vanished: [CgroupID: String] = [:]
        var isEmpty: Bool { appeared.isEmpty && vanished.isEmpty }
    }

    /// Readable when there is something for `readEvents`.
    let descriptor: CInt
    /// Whether every directory is watched; when not, only rescans find everything.
    private(set) var isFullyWatched = true

    private let mount: CgroupMount
    private let directoriesMax: Int
    private let watchesMax: Int
    private let root: CgroupID
    private var nodes: [CgroupID: Node] = [:]
    private var watched: [CInt: CgroupID] = [:]
    private var changes = Changes()

    private struct Node {
        /// Below the mount, without a slash at the end: empty for the root.
        let path: String
        var children: [String: CgroupID] = [:]
        var watch: CInt?
    }

    /// Walks the tree. `watchesMax` is for tests: the kernel has its own bound.
    init(
        mount: CgroupMount,
        directoriesMax: Int = CgroupMount.directoriesMax,
        watchesMax: Int = .max
    ) throws(HostError) {
        guard let root = try mount.id(of: "") else { throw HostError("stat \(mount.path)", .system(ENOENT)) }
        descriptor = inotify_init1(CInt(IN_CLOEXEC) | CInt(IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw HostError.errno("watch \(mount.path)", remedy: "raise fs.inotify.max_user_instances")
        }
        self.mount = mount
        self.directoriesMax = directoriesMax
        self.watchesMax = watchesMax
        self.root = root
        add(root, path: "", name: nil, parent: nil)
        synchronise(from: root, isFull: true)
    }

    deinit { close(descriptor) }

    /// All that was added and removed since the last call.
    func takeChanges() -> Changes {
        defer { changes = Changes() }
        return changes
    }

    func contains(_ id: CgroupID) -> Bool { nodes[id] != nil }

    /// Compares the whole tree with what is known. About 10 µs for each directory.
    func rescan() {
        isFullyWatched = true
        synchronise(from: root, isFull: true)
    }

    /// Takes in what the kernel has reported. Never waits.
    func readEvents() {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        // Bounded, so that somebody who makes directories without end cannot keep the thread here.
        for _ in 0..<64 {
            let length = read(descriptor, &buffer, buffer.count)
            if length < 0, errno == EINTR { continue }
            guard length > 0 else { return }
            buffer.withUnsafeBytes { bytes in apply(UnsafeRawBufferPointer(rebasing: bytes[..<length])) }
        }
    }

    // MARK: Events

    private func apply(_ events: UnsafeRawBufferPointer) {
        var offset = 0
        let headerLength = MemoryLayout<inotify_event>.size
        while offset + headerLength <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let nameStart = offset + headerLength
            let nameEnd = min(events.count, nameStart + Int(event.len))
            let name = String(decoding: events[nameStart..<nameEnd].prefix { $0 != 0 }, as: UTF8.self)
            offset = nameEnd
            apply(event.mask, watch: event.wd, name: name)
        }
    }

    private func apply(_ mask: UInt32, watch: CInt, name: String) {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 {
            rescan()
        } else if mask & UInt32(IN_IGNORED) != 0 {
            if let id = watched.removeValue(forKey: watch) { nodes[id]?.watch = nil }
        } else if let parent = watched[watch], mask & UInt32(IN_ISDIR) != 0 {
            refresh(name, in: parent)
        }
    }

    /// Looks at what `name` is now: an event may be older than the directory that has its name today.
    private func refresh(_ name: String, in parent: CgroupID) {
        guard let node = nodes[parent] else { return }
        let path = "\(node.path)/\(name)"
        // A directory that cannot be looked at is treated as gone; a rescan finds it again.
        let id = (try? mount.id(of: path)) ?? nil
        let known = node.children[name]
        if let known, known != id { remove(known, name: name, parent: parent) }
        if let id, known != id, add(id, path: path, name: name, parent: parent) {
            synchronise(from: id, isFull: false)
        }
    }

    // MARK: The table

    /// Makes the table right for a directory and all below it; `isFull` also for those already known.
    private func synchronise(from start: CgroupID, isFull: Bool) {
        var pending = [start]
        while let id = pending.popLast() {
            guard let node = nodes[id] else { continue }
            if node.watch == nil { watch(id, node.path) }
            let found = CgroupMount.subdirectories(of: mount.path + node.path)
            let ids = Set(found.map(\.id))
            for (name, child) in node.children where !ids.contains(child) { remove(child, name: name, parent: id) }
            for (name, child) in found {
                let isNew = nodes[child] == nil
                guard !isNew || add(child, path: "\(node.path)/\(name)", name: name, parent: id) else { continue }
                if isNew || isFull { pending.append(child) }
            }
        }
    }

    @discardableResult
    private func add(_ id: CgroupID, path: String, name: String?, parent: CgroupID?) -> Bool {
        guard nodes.count < directoriesMax, nodes[id] == nil else { return false }
        nodes[id] = Node(path: path)
        if let parent, let name { nodes[parent]?.children[name] = id }
        changes.vanished[id] = nil
        changes.appeared[id] = path.isEmpty ? "/" : path
        return true
    }

    private func remove(_ id: CgroupID, name: String, parent: CgroupID) {
        nodes[parent]?.children[name] = nil
        var pending = [id]
        while let id = pending.popLast() {
            guard let node = nodes.removeValue(forKey: id) else { continue }
            pending += node.children.values
            if let watch = node.watch, watched.removeValue(forKey: watch) != nil { inotify_rm_watch(descriptor, watch) }
            if changes.appeared.removeValue(forKey: id) == nil { changes.vanished[id] = node.path }
        }
    }

    private func watch(_ id: CgroupID, _ path: String) {
        guard watched.count < watchesMax else {
            isFullyWatched = false
            return
        }
        let mask = UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_ONLYDIR)
        let watch = inotify_add_watch(descriptor, mount.path + path, mask)
        guard watch >= 0 else {
            // A directory that is gone by now needs no watch; its parent's event removes it.
            if errno != ENOENT { isFullyWatched = false }
            return
        }
        watched[watch] = id
        nodes[id]?.watch = watch
    }
}

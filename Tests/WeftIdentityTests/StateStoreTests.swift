import Glibc
import Testing
import WeftCore
import WeftIdentity

/// The identity on disk: whole, private, and the old one or the new one whatever happens.
@Suite struct StateStoreTests {
    static let directory = "/var/lib/weft/identity"

    static func state(_ name: String, seed: UInt64 = 1, rotating: Bool = false) throws -> IdentityState {
        var prod = try TestMesh(seed: seed)
        let key = NodeKey()
        let identity = SpiffeID(mesh: prod.authority.mesh, node: try nodeName(name))
        let chain = try prod.authority.sign(
            key.request(for: identity),
            allowed: nil,
            now: prod.now,
            using: &prod.rng
        )
        var tokens = TokenBook()
        let token = try tokens.issue(
            mesh: prod.authority.mesh,
            root: prod.authority.root.fingerprint,
            addresses: [JoinTests.address("a:1")],
            expiry: prod.now + .hours(1),
            uses: 3,
            allowed: AllowedServicesTests.list("api", "system/web"),
            now: prod.now,
            using: &prod.rng
        )
        let request = try JoinRequest(token: token, node: nodeName("x"), key: NodeKey(), now: prod.now)
        _ = try tokens.admit(request, now: prod.now)
        if rotating { try prod.authority.prepareRotation(now: prod.now, using: &prod.rng) }
        return IdentityState(
            key: key,
            node: try NodeIdentity(key: key, chain: chain),
            bundle: try prod.authority.signedBundle(),
            authority: prod.authority,
            tokens: tokens,
            extras: ["gossip": [1, 2, 3], "operator": [4]]
        )
    }

    @Test(arguments: [false, true])
    func whatIsKeptIsWhatIsLoaded(_ rotating: Bool) throws {
        let disk = MemoryDisk()
        let store = StateStore(directory: Self.directory, files: disk)
        #expect(try store.load() == nil)
        let state = try Self.state("web-1", rotating: rotating)
        try store.save(state)
        var loaded = try #require(try store.load())
        #expect(loaded.node?.chain == state.node?.chain)
        #expect(loaded.bundle == state.bundle)
        #expect(loaded.tokens == state.tokens)
        #expect(loaded.extras == state.extras)
        #expect(try loaded.trusted() == state.authority?.bundle)
        #expect(loaded.authority?.bundle == state.authority?.bundle)
        #expect(disk.files.keys.sorted() == ["\(Self.directory)/state"])

        // The keys are the ones that were kept: what they sign is believed.
        var rng = SeededGenerator(5)
        let node = try #require(loaded.node)
        let leaf = try node.mint(node.identity, now: TestMesh.start, using: &rng)
        let bundle = try #require(try loaded.trusted())
        #expect(
            try PeerVerifier(bundle: bundle).verify(leaf.presented, as: .client, now: TestMesh.start).node == node.node
        )
        _ = try loaded.authority?.renew(node.renewalRequest(), now: TestMesh.start, using: &rng)
        if rotating { try loaded.authority?.switchRoots(now: TestMesh.start) }
    }

    @Test func aStateBeforeAnyMeshIsKept() throws {
        let store = StateStore(directory: Self.directory, files: MemoryDisk())
        try store.save(IdentityState(key: NodeKey()))
        let loaded = try #require(try store.load())
        #expect(loaded.node == nil && loaded.bundle == nil && loaded.authority == nil)
        #expect(try loaded.trusted() == nil)
    }

    /// Loads from whatever a loss of power after any operation may have left: the old state or the new one.
    @Test func powerMayFailAtAnyTime() throws {
        let (old, new) = (try Self.state("old"), try Self.state("new", seed: 2, rotating: true))
        for before in [nil, old] {
            let disk = MemoryDisk()
            let store = StateStore(directory: Self.directory, files: disk)
            if let before { try store.save(before) }
            let kept = MemoryDisk(disk.files)
            try StateStore(directory: Self.directory, files: kept).save(new)
            var found: Set<String> = []
            #expect(kept.aftermaths.count == 6)
            for (step, aftermaths) in kept.aftermaths.enumerated() {
                for files in aftermaths {
                    let after = MemoryDisk(files)
                    let loaded = try StateStore(directory: Self.directory, files: after).load()
                    let name = loaded?.node?.node.text ?? "none"
                    found.insert(name)
                    #expect([before == nil ? "none" : "old", "new"].contains(name), "after operation \(step)")
                    if step == kept.aftermaths.count - 1 { #expect(name == "new") }
                    // And whatever was left over, the next change works.
                    try StateStore(directory: Self.directory, files: after).save(new)
                }
            }
            #expect(found == [before == nil ? "none" : "old", "new"])
        }
    }

    @Test(arguments: [ENOSPC, EDQUOT, EIO, EROFS])
    func aFailureAtAnyTimeLeavesTheOldState(_ number: Int32) throws {
        let (old, new) = (try Self.state("old"), try Self.state("new", seed: 2))
        for step in 0..<6 {
            for keeping in [0, 1000] {
                let disk = MemoryDisk()
                let store = StateStore(directory: Self.directory, files: disk)
                try store.save(old)
                disk.fail(MemoryDisk.Failure(at: step, number: number, keeping: keeping))
                let error = #expect(throws: StateStoreError.self) { try store.save(new) }
                if number == ENOSPC { #expect(error?.description.contains("make room") == true) }
                // Only the sync of the directory comes after the new state is in place.
                #expect(try store.load()?.node?.node.text == (step == 5 ? "new" : "old"))
                #expect(disk.files.count == 1)
                disk.fail(nil)
                try store.save(new)
                #expect(try store.load()?.node?.node.text == "new")
            }
        }
    }

    @Test func everyDamagedByteIsNoticed() throws {
        let disk = MemoryDisk()
        try StateStore(directory: Self.directory, files: disk).save(Self.state("web-1"))
        let path = "\(Self.directory)/state"
        let content = try #require(disk.files[path]).content
        for index in stride(from: 0, to: content.count, by: 3) {
            var changed = content
            changed[index] ^= 4
            try expectCorrupt(changed)
            try expectCorrupt(Array(content.prefix(index)))
        }
        try expectCorrupt(content + [0])
        try expectCorrupt(Array("[node]\nname = \"x\"\n".utf8))
        try expectCorrupt([UInt8](repeating: 0, count: StateStore.bytesMax + 1))
    }

    private func expectCorrupt(_ content: [UInt8]) throws {
        let disk = MemoryDisk(["\(Self.directory)/state": StateFile(content: content, mode: 0o600)])
        let error = #expect(throws: StateStoreError.self) {
            try StateStore(directory: Self.directory, files: disk).load()
        }
        #expect(error?.description.contains("/var/lib/weft/identity/state is damaged") == true)
    }

    @Test func aFileThatOthersCanReadIsRefused() throws {
        let disk = MemoryDisk()
        try StateStore(directory: Self.directory, files: disk).save(Self.state("web-1"))
        let path = "\(Self.directory)/state"
        let content = try #require(disk.files[path]).content
        let open = MemoryDisk([path: StateFile(content: content, mode: 0o640)])
        let error = #expect(throws: StateStoreError.open(path: path, mode: 0o640)) {
            try StateStore(directory: Self.directory, files: open).load()
        }
        #expect(error?.description.contains("chmod 600") == true)
    }

    @Test func tooMuchIsNotKept() throws {
        let store = StateStore(directory: Self.directory, files: MemoryDisk())
        var state = IdentityState(key: NodeKey())
        state.extras["big"] = [UInt8](repeating: 0, count: IdentityState.extraBytesMax + 1)
        #expect(throws: StateStoreError.self) { try store.save(state) }
        #expect(try store.load() == nil)
    }

    @Test func aRealDiskKeepsItPrivate() throws {
        var template = Array("/tmp/weft-identity-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
        let root = String(cString: try #require(made))
        let directory = "\(root)/identity"
        defer {
            unlink("\(directory)/state")
            rmdir(directory)
            rmdir(root)
        }
        let mask = umask(0)
        defer { umask(mask) }
        let store = StateStore(directory: directory)
        #expect(try store.load() == nil)
        try store.save(Self.state("web-1"))
        try store.save(Self.state("web-2"))
        #expect(try store.load()?.node?.node.text == "web-2")
        #expect(try mode(of: directory) == 0o700)
        #expect(try mode(of: "\(directory)/state") == 0o600)
        // Nothing else is there, so the directory is as good as empty.
        unlink("\(directory)/state")
        #expect(rmdir(directory) == 0)
        #expect(throws: StateStoreError.self) {
            try StateStore(directory: "\(root)/missing/identity").save(Self.state("web-1"))
        }
    }

    private func mode(of path: String) throws -> UInt32 {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return UInt32(status.st_mode & 0o777)
    }
}

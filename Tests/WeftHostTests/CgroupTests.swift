import Glibc
import Synchronization
import Testing
import WeftCatalog
import WeftCore

@testable import WeftHost

extension HostTests {
    @Suite("The cgroup tree")
    struct CgroupTests {
        @Test(
            "The mount is found in mountinfo",
            arguments: [
                ("41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw", "/sys/fs/cgroup/unified"),
                ("30 23 0:26 / /sys/fs/cgroup rw shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate", "/sys/fs/cgroup"),
                ("1 1 0:1 / /a\\040b\\134 rw - cgroup2 x rw", "/a b\\"),
                ("1 1 0:1 /sub /part rw - cgroup2 x rw\n2 1 0:1 / /whole rw - cgroup2 x rw", "/whole"),
                ("1 1 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", nil), ("", nil), ("- - - - - - -", nil),
                ("1 1 0:1 / /x rw -", nil), ("garbage\n\n - cgroup2", nil),
            ] as [(String, String?)]
        )
        func mountInfo(_ text: String, _ expected: String?) {
            #expect(CgroupMount(mountInfo: text)?.path == expected)
        }

        @Test("This process's own cgroup has the id of its directory and the depth of its path")
        func ownCgroup() throws {
            let mount = try CgroupMount.find()
            let own = try #require(try mount.own())
            #expect(try mount.id(of: own.path) == own.id)
            #expect(own.level == own.path.split(separator: "/").count)
        }

        @Test("Limits are the smallest on the way up")
        func limits() throws {
            try withTemporaryDirectory { directory in
                let mount = CgroupMount(path: directory)
                for group in ["system.slice", "system.slice/weftd.service"] {
                    #expect(mkdir("\(directory)/\(group)", 0o755) == 0)
                }
                #expect(CgroupLimits(of: "/system.slice/weftd.service", in: mount) == CgroupLimits())
                func write(_ text: String, _ file: String) throws {
                    try AtomicFile.write(Array(text.utf8), to: "\(directory)/\(file)")
                }
                // The root has none, whatever is there.
                try write("1\n", "memory.max")
                try write("max\n", "system.slice/weftd.service/memory.max")
                try write("max 100000\n", "system.slice/weftd.service/cpu.max")
                #expect(CgroupLimits(of: "/system.slice/weftd.service", in: mount) == CgroupLimits())
                try write("50000000\n", "system.slice/memory.max")
                try write("60000000\n", "system.slice/weftd.service/memory.max")
                try write("150000 100000\n", "system.slice/cpu.max")
                try write("20000 100000\n", "system.slice/weftd.service/cpu.max")
                let both = CgroupLimits(of: "/system.slice/weftd.service", in: mount)
                #expect(both.memoryBytes == 50_000_000 && both.cpuCores == 0.2)
                #expect(CgroupLimits(of: "/system.slice", in: mount).cpuCores == 1.5)
                try write("garbage\n", "system.slice/memory.max")
                try write("1 0\n", "system.slice/weftd.service/cpu.max")
                let rest = CgroupLimits(of: "/system.slice/weftd.service", in: mount)
                #expect(rest.memoryBytes == 60_000_000 && rest.cpuCores == 1.5)
            }
        }

        @Test("Processes are those of the cgroup and of all below it")
        func processes() throws {
            try withCgroup { slice in
                try slice.make("a.service/payload")
                var found: [[Int32]] = []
                let started = try ["a.service", "a.service/payload"].map { try slice.sleep(in: $0) }
                defer {
                    for process in started {
                        kill(process, SIGKILL)
                        _ = try? wait(for: process)
                    }
                }
                found.append(slice.mount.processes(below: slice.path))
                found.append(slice.mount.processes(below: slice.path + "/a.service"))
                found.append(slice.mount.processes(below: slice.path + "/a.service/payload"))
                found.append(slice.mount.processes(below: slice.path, limit: 1))
                #expect(found == [started.sorted(), started.sorted(), [started[1]], found[3]])
                #expect(found[3].count == 1)
                #expect(slice.mount.processes(below: slice.path + "/none") == [])
                #expect(slice.mount.processes(below: slice.path + "/../..") == [])
            }
        }

        @Test("Whatever happens to directories, the tree ends as a fresh walk would", arguments: [Int.max, 4])
        func randomChanges(_ watchesMax: Int) throws {
            try withCgroup { slice in
                let mount = CgroupMount(path: slice.mount.path + slice.path)
                let tree = try CgroupTree(mount: mount, watchesMax: watchesMax)
                var known = tree.takeChanges().appeared
                var random = Seeded(state: 11)
                for round in 0..<40 {
                    for _ in 0..<Int.random(in: 1...20, using: &random) {
                        let depth = Int.random(in: 1...3, using: &random)
                        let path = (0..<depth).map { _ in "/d\(Int.random(in: 0..<3, using: &random))" }.joined()
                        // Making what is there and removing what is not, or is not empty, changes nothing.
                        if Bool.random(using: &random) {
                            mkdir(mount.path + path, 0o755)
                        } else {
                            rmdir(mount.path + path)
                        }
                    }
                    if Bool.random(using: &random) { continue }
                    tree.readEvents()
                    if watchesMax < .max || round % 7 == 6 { tree.rescan() }
                    let changes = tree.takeChanges()
                    for id in changes.vanished.keys { #expect(known.removeValue(forKey: id) != nil) }
                    known.merge(changes.appeared) { _, new in new }
                    let expected = try CgroupTree(mount: mount).takeChanges().appeared
                    #expect(known == expected, "round \(round)")
                }
                try slice.removeAll()
                tree.readEvents()
                tree.rescan()
                #expect(tree.takeChanges().vanished.count == known.count - 1)
            }
        }

        @Test("A tree beyond its bound is held in part")
        func bound() throws {
            try withCgroup { slice in
                for number in 0..<20 { try slice.make("u\(number).service") }
                let tree = try CgroupTree(mount: CgroupMount(path: slice.mount.path + slice.path), directoriesMax: 10)
                #expect(tree.takeChanges().appeared.count == 10)
            }
        }
    }

    @Suite("The workload directory")
    struct WorkloadDirectoryTests {
        @Test("New and nested cgroups appear, removed ones stay for the retention and then go")
        func comingAndGoing() throws {
            try withCgroup { slice in
                var settings = WorkloadDirectorySettings()
                settings.retention = .seconds(3)
                let published = Shared(Mutex<[[CgroupID: Workload]]>([]))
                let directory = try WorkloadDirectory(mount: slice.mount, settings: settings) { table in
                    published.value.withLock { $0.append(table) }
                }
                defer { directory.stop() }
                #expect(directory.isFullyWatched)
                #expect(directory.workloads[try slice.id("")]?.slice == slice.name)

                // All at once: the inner ones are made before anybody can watch the outer ones.
                try slice.make("shop-eu.slice/api.service/payload")
                let unit = try slice.id("shop-eu.slice/api.service")
                let inner = try slice.id("shop-eu.slice/api.service/payload")
                #expect(eventually { directory.workloads[inner] != nil })
                #expect(directory.workloads[inner] == directory.workloads[unit])
                #expect(directory.workloads[unit]?.unit == "api.service")
                #expect(directory.workloads[unit]?.slice == "shop-eu.slice")
                #expect(directory.workloads[unit]?.tenant.text == String(slice.name.dropLast(".slice".count)))
                // Others on this machine make cgroups too, so that a newer table may just be on its way.
                #expect(eventually { published.value.withLock { $0.last } == directory.workloads })

                try slice.removeAll()
                #expect(directory.workloads[unit] != nil)
                #expect(eventually { directory.workloads[unit] == nil && directory.workloads[inner] == nil })
            }
        }

        @Test("A question about a cgroup made a moment ago is answered; about none, with nil")
        func resolving() throws {
            try withCgroup { slice in
                let directory = try WorkloadDirectory(mount: slice.mount) { _ in }
                defer { directory.stop() }
                for number in 0..<50 {
                    try slice.make("u\(number).service")
                    #expect(try resolve(directory, slice.id("u\(number).service"))?.unit == "u\(number).service")
                }
                #expect(try resolve(directory, CgroupID(.max)) == nil)
                #expect(try resolve(directory, CgroupID(.max)) == nil)
                // A removed one is still known: its last connection may arrive after it.
                let gone = try slice.id("u7.service")
                try check(rmdir(slice.mount.path + slice.path + "/u7.service"), "rmdir")
                #expect(try resolve(directory, gone)?.unit == "u7.service")
            }
        }

        @Test("Where watches run out, regular walks find what changed, and it says so")
        func withoutWatches() throws {
            try withCgroup { slice in
                var settings = WorkloadDirectorySettings()
                settings.watchesMax = 1
                settings.rescanInterval = .milliseconds(20)
                let directory = try WorkloadDirectory(mount: slice.mount, settings: settings) { _ in }
                defer { directory.stop() }
                #expect(!directory.isFullyWatched)
                try slice.make("late.service/sub")
                let id = try slice.id("late.service/sub")
                #expect(eventually { directory.workloads[id]?.unit == "late.service" })
            }
        }

        @Test("Too many questions, and questions after the end, are answered with nil at once")
        func overflowAndStop() throws {
            try withCgroup { slice in
                var settings = WorkloadDirectorySettings()
                settings.resolvesMax = 0
                let full = try WorkloadDirectory(mount: slice.mount, settings: settings) { _ in }
                let known = try slice.id("")
                #expect(try resolve(full, known) == nil)
                full.stop()
                full.stop()

                let directory = try WorkloadDirectory(mount: slice.mount) { _ in }
                #expect(try resolve(directory, known) != nil)
                let answers = Shared(Atomic<Int>(0))
                for _ in 0..<1000 { directory.resolve(known) { _ in answers.value.add(1, ordering: .relaxed) } }
                directory.stop()
                #expect(answers.value.load(ordering: .relaxed) == 1000)
                #expect(try resolve(directory, known) == nil)
            }
        }

        @Test("A connection made inside a unit leads back to the unit")
        func attribution() throws {
            try withCgroup { slice in
                try slice.make("api.service/payload")
                let directory = try WorkloadDirectory(mount: slice.mount) { _ in }
                defer { directory.stop() }
                let procs = slice.mount.path + slice.path + "/api.service/payload/cgroup.procs"
                let owner = try inPrivateNetwork { () -> SocketOwner? in
                    let listener = try LoopbackSocket.listener(address("127.0.0.1:8000"))
                    let client = try start([
                        "bash", "-c", "echo $$ >'\(procs)' && exec 3<>/dev/tcp/127.0.0.1/8000 && read -u 3 line",
                    ])
                    let accepted = try listener.accepted()
                    let owner = try SocketDiag().owner(
                        client: ClientAddress(accepted.peer()),
                        destination: OriginalDestination(accepted.local())
                    )
                    kill(client, SIGKILL)
                    try wait(for: client)
                    return owner
                }
                let cgroup = try #require(owner).cgroup
                #expect(cgroup == (try slice.id("api.service/payload")))
                #expect(try resolve(directory, cgroup)?.unit == "api.service")
            }
        }

        /// Asks and waits for the answer.
        private func resolve(_ directory: WorkloadDirectory, _ id: CgroupID) throws -> Workload? {
            let answer = Shared(Mutex<Workload??>(nil))
            directory.resolve(id) { workload in answer.value.withLock { $0 = .some(workload) } }
            guard eventually({ answer.value.withLock { $0 } != nil }) else { throw TestFailure("no answer for \(id)") }
            return answer.value.withLock { $0 } ?? nil
        }
    }
}

/// A slice of its own at the top of the cgroup2 tree.
struct TestSlice {
    let mount: CgroupMount
    let name: String
    var path: String { "/" + name }

    /// Makes a directory below the slice, and those above it.
    func make(_ below: String) throws {
        var path = mount.path + self.path
        for component in below.split(separator: "/") {
            path += "/" + component
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw TestFailure("mkdir \(path): errno \(errno)") }
        }
    }

    func id(_ below: String) throws -> CgroupID {
        guard let id = try mount.id(of: path + (below.isEmpty ? "" : "/" + below)) else {
            throw TestFailure("no cgroup \(below)")
        }
        return id
    }

    /// Starts a process that does nothing, inside.
    func sleep(in below: String) throws -> pid_t {
        let process = try start(["sleep", "300"])
        try writeText("\(process)", to: "\(mount.path)\(path)/\(below)/cgroup.procs")
        return process
    }

    /// Removes everything below the slice.
    func removeAll() throws {
        try run("find", mount.path + path, "-mindepth", "1", "-depth", "-type", "d", "-delete")
    }

    private func writeText(_ text: String, to path: String) throws {
        let descriptor = try check(open(path, O_WRONLY), "open \(path)")
        defer { close(descriptor) }
        guard write(descriptor, text, text.utf8.count) == text.utf8.count else { throw TestFailure("write \(path)") }
    }
}

private let sliceCounter = Atomic<Int>(0)

func withCgroup<Result>(_ body: (TestSlice) throws -> Result) throws -> Result {
    let number = sliceCounter.add(1, ordering: .relaxed).newValue
    let slice = TestSlice(mount: try CgroupMount.find(), name: "wefttest\(getpid())x\(number).slice")
    try check(mkdir(slice.mount.path + slice.path, 0o755), "mkdir \(slice.path)")
    defer {
        // A process that was just killed may keep its cgroup busy for a moment.
        _ = eventually { (try? slice.removeAll()) != nil && rmdir(slice.mount.path + slice.path) == 0 }
    }
    return try body(slice)
}

/// SplitMix64: the same run for the same seed.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

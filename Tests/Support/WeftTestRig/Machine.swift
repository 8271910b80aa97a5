import Glibc

/// What the rig needs to know of the machine that the tests run on.
package enum Machine {
    /// The clone that these tests belong to, from the place of this file in it.
    package static let repository: String = {
        var path = Substring(#filePath)
        // Tests/Support/WeftTestRig/Machine.swift
        for _ in 0..<4 { path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
        return String(path)
    }()

    /// Where the release binaries to test are: `WEFT_BIN_DIR`, or where `systemd/install --build-only` leaves them.
    package static var binaries: String { variable("WEFT_BIN_DIR") ?? "\(repository)/.build-release/stripped" }

    /// An environment variable; nil when unset or empty.
    package static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// Where cgroup2 is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on hybrid machines.
    static func cgroup2MountPoint() throws -> String {
        for line in try readText("/proc/self/mountinfo").split(separator: "\n") {
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2, halves[1].hasPrefix("cgroup2 ") else { continue }
            let fields = halves[0].split(separator: " ")
            if fields.count > 4 { return String(fields[4]) }
        }
        throw RigFailure("no cgroup2 is mounted on this machine, and the test hosts need it")
    }

    /// The tools image, which `Tests/Support/tools-image` builds when it has to.
    static func toolsImage() async throws -> String {
        let output = try await ShellCommand.run(["\(repository)/Tests/Support/tools-image"], timeout: .seconds(600))
        guard output.succeeded else {
            throw CommandFailure(command: output.command, reason: "no tools image", output: output)
        }
        return output.text
    }

    /// The directory of programs of others that speak weft's protocols: a path for Python, with Envoy in it.
    package static func peerPrograms() async throws -> String { peerPrograms(beside: try await toolsImage()) }

    static func peerPrograms(beside image: String) -> String { image.dropLast(".tar".count) + ".peers" }

    /// A file of /proc or /sys, or any other small one.
    package static func readText(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(call: "open \(path)", code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < ShellCommand.outputMaximum {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw SystemFailure(call: "read \(path)", code: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer.prefix(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The names in a directory, without `.` and `..`; empty when it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

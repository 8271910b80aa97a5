import Glibc
import Testing
import WeftIdentity

/// PEM files in a directory of their own, gone when the test is over.
final class PEMFiles {
    private let directory: String
    private var names: [String] = []

    init(root: [MeshCertificate], chain: [MeshCertificate]) throws {
        var template = Array("/tmp/weft-openssl-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
        directory = String(cString: try #require(made))
        try write("root", root.map(\.pem).joined())
        try write("leaf", chain[0].pem)
        try write("chain", chain.dropFirst().map(\.pem).joined())
    }

    deinit {
        for name in names { unlink(path(name)) }
        rmdir(directory)
    }

    func path(_ name: String) -> String { "\(directory)/\(name).pem" }

    func write(_ name: String, _ text: String) throws {
        names.append(name)
        let file = try #require(fopen(path(name), "w"))
        defer { fclose(file) }
        #expect(fputs(text, file) >= 0)
    }

    /// A file that openssl writes.
    func output(_ name: String) -> String {
        names.append(name)
        return path(name)
    }

    func verify(_ purpose: String) throws -> Int32 {
        try run([
            "verify", "-x509_strict", "-purpose", purpose, "-CAfile", path("root"), "-untrusted", path("chain"),
            path("leaf"),
        ])
    }

    /// The exit code of openssl with these arguments; it reads nothing, and what it prints is thrown away.
    func run(_ arguments: [String]) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, flags) in [(0, O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
            posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", flags, 0)
        }
        var words = (["openssl"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child = pid_t()
        try #require(posix_spawnp(&child, "openssl", &actions, nil, &words, environ) == 0)
        var status: Int32 = 0
        try #require(waitpid(child, &status, 0) == child)
        return status >> 8 & 0xff
    }
}

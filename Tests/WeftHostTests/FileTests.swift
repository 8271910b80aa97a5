import Glibc
import Testing

@testable import WeftHost

extension HostTests {
    @Suite("State files")
    struct FileTests {
        private func names(in directory: String) throws -> [String] {
            guard let stream = opendir(directory) else { throw TestFailure("opendir \(directory)") }
            defer { closedir(stream) }
            var names: [String] = []
            while let entry = readdir(stream) {
                names.append(
                    withUnsafeBytes(of: &entry.pointee.d_name) {
                        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                    }
                )
            }
            return names.filter { $0 != "." && $0 != ".." }.sorted()
        }

        @Test("A file is written whole, with its mode, and replaces the old one")
        func write() throws {
            try withTemporaryDirectory { directory in
                let path = directory + "/state"
                let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
                try AtomicFile.write(large, to: path, mode: 0o640)
                #expect(try BoundedFile.read(path, limit: large.count) == large)
                try AtomicFile.write([], to: path)
                #expect(try BoundedFile.read(path, limit: 0) == [])
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
                #expect(try names(in: directory) == ["state"])
            }
        }

        @Test("A symbolic link is replaced, not followed")
        func symbolicLink() throws {
            try withTemporaryDirectory { directory in
                try AtomicFile.write([1], to: directory + "/target")
                #expect(symlink("target", directory + "/link") == 0)
                try AtomicFile.write([2], to: directory + "/link")
                #expect(try BoundedFile.read(directory + "/target", limit: 9) == [1])
                #expect(try BoundedFile.read(directory + "/link", limit: 9) == [2])
            }
        }

        @Test("When the rename fails, what was there stays and nothing is left behind")
        func failingRename() throws {
            try withTemporaryDirectory { directory in
                // A directory that is not empty cannot be replaced by a file.
                #expect(mkdir(directory + "/state", 0o700) == 0)
                try AtomicFile.write([7], to: directory + "/state/inside")
                #expect(throws: HostError.self) { try AtomicFile.write([1, 2, 3], to: directory + "/state") }
                #expect(try BoundedFile.read(directory + "/state/inside", limit: 9) == [7])
                #expect(try names(in: directory) == ["state"])
            }
        }

        @Test(
            "A directory that cannot be written fails with its name and reason",
            arguments: [("/proc/weft-state", EACCES), ("/wefttest-none/state", ENOENT), ("/dev/null/state", ENOTDIR)]
        )
        func failingDirectory(_ path: String, _ expected: CInt) throws {
            let error = #expect(throws: HostError.self) { try AtomicFile.write([1], to: path) }
            // /proc says EACCES or ENOENT, depending on the kernel.
            #expect(error?.reason == .system(expected) || error?.reason == .system(ENOENT))
            #expect(error?.description.contains("create /") == true)
        }

        @Test("A path without a file name is refused", arguments: ["", "state", "/", "/var/lib/"])
        func noFileName(_ path: String) {
            #expect(throws: HostError.self) { try AtomicFile.write([1], to: path) }
        }

        @Test("Reading stops at the limit, and a missing file is nil")
        func boundedRead() throws {
            try withTemporaryDirectory { directory in
                let path = directory + "/file"
                try AtomicFile.write([UInt8](repeating: 1, count: 100), to: path)
                #expect(try BoundedFile.read(path, limit: 100)?.count == 100)
                #expect(throws: HostError("read \(path)", .overLimit(99))) { try BoundedFile.read(path, limit: 99) }
                #expect(throws: HostError("read /dev/zero", .overLimit(1000))) {
                    try BoundedFile.read("/dev/zero", limit: 1000)
                }
                #expect(try BoundedFile.read(directory + "/none", limit: 9) == nil)
                #expect(throws: HostError("read \(directory)", .system(EISDIR))) {
                    try BoundedFile.read(directory, limit: 9)
                }
            }
        }
    }
}

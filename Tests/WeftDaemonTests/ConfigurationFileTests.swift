import Glibc
import Testing
import WeftConfig
import WeftHost

@testable import WeftDaemon

@Suite("The configuration on disk", .timeLimit(.minutes(2)))
struct ConfigurationFileTests {
    private func withFile<Value>(_ bytes: [UInt8], _ body: (String) async throws -> Value) async throws -> Value {
        try await withTemporaryFolder { folder in
            try AtomicFile.write(bytes, to: folder + "/weft.toml")
            return try await body(folder + "/weft.toml")
        }
    }

    private static let twoMistakes = "[capture]\nscope = \"everything\"\nenabeld = true\n"

    @Test("No file is the default configuration")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            let configuration = try ConfigurationFile.load(folder + "/none.toml")
            #expect(configuration == Configuration())
        }
    }

    @Test("No file is a mistake when it is named to be checked")
    func missingInCheck() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/none.toml"
            #expect(
                Daemon.mistakes(in: path) == [
                    "cannot read \(path): No such file or directory; check that the file exists and that user weft "
                        + "may read it"
                ]
            )
            #expect(Daemon.mistakes(in: path + "/below").count == 1)
        }
    }

    @Test("A good file is read", arguments: ["", "[log]\nlevel = \"debug\"\n"])
    func good(_ text: String) async throws {
        try await withFile(Array(text.utf8)) { path in
            let level = try ConfigurationFile.load(path).log.level
            #expect(level == (text.isEmpty ? .info : .debug))
            #expect(Daemon.mistakes(in: path) == [])
        }
    }

    @Test("Every mistake of a bad file is told, with its line, and the file with all of them")
    func invalid() async throws {
        try await withFile(Array(Self.twoMistakes.utf8)) { path in
            let mistakes = Daemon.mistakes(in: path)
            #expect(mistakes.count == 2)
            #expect(mistakes.first?.hasPrefix("line 2: capture.scope: ") == true)
            #expect(mistakes.last?.hasPrefix("line 3: ") == true)
            let error = #expect(throws: DaemonError.self) { try ConfigurationFile.load(path) }
            #expect(error == .configurationInvalid(path: path, diagnostics: mistakes))
        }
    }

    @Test("A daemon does not start on a bad file")
    func noStart() async throws {
        try await withFile(Array(Self.twoMistakes.utf8)) { path in
            let options = Daemon.Options(configurationPath: path, socketPath: nil, stateDirectory: nil)
            let error = #expect(throws: DaemonError.self) { try Daemon(options) }
            #expect(error?.description.hasPrefix("\(path) is not valid:\n  line 2: capture.scope: ") == true)
        }
    }

    @Test("What is not said on the command line is where the unit puts it")
    func defaults() {
        let options = Daemon.Options(configurationPath: nil, socketPath: nil, stateDirectory: nil)
        #expect(options.configurationPath == "/etc/weft/weft.toml")
        #expect(options.socketPath == "/run/weft/weft.sock")
        #expect(options.stateDirectory == "/var/lib/weft")
    }

    @Test("Bytes that are no text are one mistake")
    func noText() async throws {
        try await withFile([0x5b, 0xff, 0xfe, 0x5d]) { path in
            #expect(Daemon.mistakes(in: path).count == 1)
        }
    }

    @Test("A file of the largest size is read, a larger one refused without being held")
    func size() async throws {
        let comment = [UInt8](repeating: UInt8(ascii: "#"), count: ConfigurationLoader.bytesMax)
        try await withFile(comment) { #expect(Daemon.mistakes(in: $0) == []) }
        try await withFile(comment + [UInt8(ascii: "#")]) { path in
            let mistakes = Daemon.mistakes(in: path)
            #expect(mistakes.count == 1)
            #expect(mistakes.first?.contains("262144") == true)
        }
        #expect(Daemon.mistakes(in: "/dev/zero").count == 1)
    }

    @Test("What is no file is refused with its path and the reason")
    func directory() async throws {
        try await withTemporaryFolder { folder in
            let error = #expect(throws: DaemonError.self) { try ConfigurationFile.load(folder) }
            #expect(
                error?.description
                    == "cannot read \(folder): read \(folder): Is a directory (errno 21); check that the file exists "
                    + "and that user weft may read it"
            )
            #expect(Daemon.mistakes(in: folder) == [error?.description])
        }
    }
}

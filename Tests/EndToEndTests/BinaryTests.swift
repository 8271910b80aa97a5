import Testing
import WeftTestRig

extension EndToEnd {
    /// The binaries as they are shipped.
    @Suite struct BinaryTests {
        @Test(arguments: [("weftd", 45), ("weft", 45)])
        func theBinaryIsLeanAndNeedsNoSwiftOnTheHost(_ name: String, mebibytesMaximum: Int) async throws {
            let path = "\(Machine.binaries)/\(name)"
            let size = try #require(Int(try await succeed("stat", "-c", "%s", path).text))
            print("measured: \(name) is \(size >> 20) MiB")
            #expect(size < mebibytesMaximum * 1_000_000)

            let libraries = try await succeed("ldd", path).standardOutput
            for absent in ["libswift", "Foundation", "icu", "dispatch", "not found"] {
                #expect(!libraries.contains(absent), "\(libraries)")
            }
            // A stripped binary still names its data files and its Swift modules.
            let traces = try await ShellCommand.run(
                ["grep", "-c", "-a", "-E", "icudt[0-9]|FoundationInternationalization|17_FoundationICU", path])
            #expect(traces.text == "0", "full Foundation or ICU is linked in")
        }

        private func succeed(_ command: String...) async throws -> Output {
            let output = try await ShellCommand.run(command)
            guard output.succeeded else {
                throw CommandFailure(command: command, reason: "exit code \(output.exitCode)", output: output)
            }
            return output
        }
    }
}

import Glibc
import Testing
import WeftTestKit

/// A seed is only worth something if it makes the same run everywhere.
@Suite struct ReplayTests {
    @Test(arguments: [UInt64(2), 4, 7, 91])
    func equalSeedsMakeEqualRuns(_ seed: UInt64) {
        let first = SeedRun(seed: seed).run()
        let second = SeedRun(seed: seed).run()
        #expect(first.digest == second.digest)
        #expect(first.events == second.events)
        #expect(SeedRun(seed: seed + 1).run().digest != first.digest)
    }

    /// In one process `Dictionary` and `Set` keep their order, so only another process shows whether a run depends on it.
    @Test func anotherProcessMakesTheSameRun() throws {
        let expected = [UInt64(4), 5].map { "digest \(String(SeedRun(seed: $0).run().digest, radix: 16))" }
        for _ in 0..<2 {
            let output = try Self.simulator(["run", "--seeds", "4-5"])
            for digest in expected { #expect(output.contains(digest), "\(output)") }
        }
    }

    /// The command that a failing test prints shows the run that failed, down to its last event.
    @Test func theCommandOfAReportRepeatsItsRun() throws {
        let report = SeedRun(seed: 7, nodes: 5).run()
        let words = report.command(nodes: 5).split(separator: " ").map(String.init)
        #expect(words.prefix(3) == ["swift", "run", "weft-sim"])
        let output = try Self.simulator(Array(words.dropFirst(3)))
        #expect(output.contains("seed 7: good, \(report.events) events, digest \(String(report.digest, radix: 16))"))
    }

    /// Watching a run does not change it.
    @Test func aTraceChangesNothing() {
        var lines = 0
        let watched = SeedRun(seed: 4, trace: { _ in lines += 1 }).run()
        #expect(watched.digest == SeedRun(seed: 4).run().digest)
        #expect(lines > 100)
    }

    /// Beside the test bundle, where SwiftPM builds it.
    private static func executable() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        try #require(count > 0 && count < buffer.count)
        let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own[..<(try #require(own.lastIndex(of: "/")))] + "/weft-sim"
    }

    /// What it prints; its arguments are words without anything that a shell would change.
    private static func simulator(_ arguments: [String]) throws -> String {
        let pipe = try #require(popen(([try executable()] + arguments).joined(separator: " "), "r"))
        defer { pclose(pipe) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer[..<count] }
        return String(decoding: output, as: UTF8.self)
    }
}

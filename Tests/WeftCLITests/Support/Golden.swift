import FoundationEssentials
import Testing

@testable import WeftCLI

/// Compares a run with the file of that name in `Golden`. With WEFT_UPDATE_GOLDEN=1 the files are written anew, and the
/// test fails all the same, so that nobody takes the rewriting for a pass.
func expectGolden(
    _ run: CommandLineRun,
    _ name: String,
    commandLine: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let path = goldenFolder + "/\(name).txt"
    let actual = transcript(run, commandLine)
    if ProcessInfo.processInfo.environment["WEFT_UPDATE_GOLDEN"] == "1" {
        try Data(actual.utf8).write(to: URL(filePath: path))
        Issue.record("\(path) was rewritten; run again without WEFT_UPDATE_GOLDEN", sourceLocation: sourceLocation)
        return
    }
    let expected = try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    #expect(actual == expected, "differs from \(path)", sourceLocation: sourceLocation)
}

/// Beside this file's folder.
let goldenFolder = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Golden"

/// The names of the files in `Golden`, sorted.
func goldenFiles() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: goldenFolder).sorted()
}

/// The run as a terminal would have shown it, with escape characters made visible.
private func transcript(_ run: CommandLineRun, _ arguments: [String]) -> String {
    let shown = run.output + (run.errorOutput.isEmpty ? "" : "[standard error]\n" + run.errorOutput)
    let text = "$ weft \(arguments.joined(separator: " "))\n\(shown)[exit \(run.status.rawValue)]\n"
    return text.replacing("\u{1b}", with: "\\e")
}

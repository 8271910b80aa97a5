import Glibc
import Testing
import WeftConfig

/// What a text loads to: a configuration, or the mistakes in it.
func outcome(of text: String) -> Result<Configuration, ConfigurationError> {
    do throws(ConfigurationError) {
        return .success(try ConfigurationLoader.load(text))
    } catch {
        return .failure(error)
    }
}

/// The mistakes in a text; none when it loads.
func diagnostics(of text: String) -> [Diagnostic] {
    switch outcome(of: text) {
    case .success: []
    case .failure(let error): error.diagnostics
    }
}

/// A generator whose whole run follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// The shipped `config/weft.toml`, and the texts that follow from its marks.
///
/// Its lines are of four kinds: `# ` begins prose, `#` and a key a setting with its default, `#   ` an example, and
/// what has no `#` is in effect.
struct SampleFile {
    let lines: [Substring]

    init(testFile: String = #filePath) throws {
        let root = testFile.split(separator: "/").dropLast(3).joined(separator: "/")
        lines = try contents(of: "/\(root)/config/weft.toml").split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// As shipped.
    var text: String { lines.joined(separator: "\n") }

    /// Every setting in effect, at its default.
    var withDefaults: String {
        lines.map { $0.isDefault ? $0.dropFirst() : $0 }.joined(separator: "\n")
    }

    /// Every example in effect, and `fail` as the example of `fail-users` needs it. Without prose.
    var withExamples: String {
        lines.compactMap { line in
            if line.isExample { return line.dropFirst(4) }
            if line.hasPrefix("#fail =") { return "fail = \"closed\"" }
            return line.hasPrefix("#") ? nil : line
        }
        .joined(separator: "\n")
    }
}

extension Substring {
    var isDefault: Bool { hasPrefix("#") && dropFirst().first?.isLowercase == true }

    /// An indented line that is TOML, and not a list item or a command.
    var isExample: Bool {
        guard hasPrefix("#   ") else { return false }
        let rest = dropFirst(4)
        return rest.hasPrefix("[")
            || rest.prefix { $0 != "=" }.allSatisfy { $0.isLowercase || $0 == "-" || $0 == " " }
                && rest.contains("=")
    }
}

/// The file could not be read.
struct ReadFailure: Error, CustomStringConvertible {
    let description: String
}

/// A small text file.
func contents(of path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw ReadFailure(description: "\(path): errno \(errno)") }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: ConfigurationLoader.bytesMax)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count], as: UTF8.self)
}

extension Configuration.Tenant {
    static var isolated: Configuration.Tenant {
        var tenant = Configuration.Tenant()
        tenant.isolate = true
        return tenant
    }
}

import Testing

/// The shape of the repository: where things are, how large, and whether they are told of.
@Suite struct LayoutTests {
    @Test func theTopLevelHoldsWhatItIsMeantTo() {
        let allowed: Set = [
            "Package.swift", "Package.resolved", "Sources", "Tests", "systemd", "config", "README.md", "LICENSE", ".ci",
            ".git",
            ".gitignore", ".swift-format", ".swiftpm",
        ]
        let strangers = Repository.names(in: "").filter { !allowed.contains($0) && !$0.hasPrefix(".build") }
        #expect(strangers == [], "documentation lives in README.md and in doc comments; the rest has its directory")
    }

    /// A file is one idea; past this size look for the seam.
    @Test func noSourceFileIsTooLong() throws {
        for file in try Repository.swiftFiles(in: "Sources") + Repository.swiftFiles(in: "Tests") {
            #expect(file.lines.count <= 400, "\(file.path)")
        }
    }

    /// `swift format lint` asks this of `public` declarations only, and weft has none.
    @Test func everyTypeAndFunctionOfAPackageInterfaceIsDocumented() throws {
        let declaration =
            /^package (?:final |indirect )*(?:struct|class|enum|actor|protocol|typealias|func|let|var) (\w+)/
        for file in try Repository.swiftFiles(in: "Sources") + Repository.swiftFiles(in: "Tests/Support") {
            for (number, line) in file.lines.enumerated() {
                guard let match = line.firstMatch(of: declaration) else { continue }
                var above = number - 1
                while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
                let isDocumented = above >= 0 && file.lines[above].hasPrefix("///")
                #expect(isDocumented, "\(file.path):\(number + 1): \(match.output.1) has no doc comment")
            }
        }
    }

    @Test(arguments: [
        "systemd/install", "systemd/uninstall", "systemd/swift-toolchain", "Tests/run", "Tests/Support/tools-image",
        "Tests/tunnel-cost", ".ci/run",
    ])
    func scriptsStopAtTheFirstFailure(_ path: String) throws {
        let text = try Repository.text(path)
        #expect(text.hasPrefix("#!/bin/bash\n#"), "a script begins with what it is for")
        #expect(text.contains("\nset -euo pipefail\n"))
        #expect(Repository.isExecutable(path))
    }

    /// The daemon and its clean-up do the same kind of work and are held as tightly.
    @Test func bothUnitsHaveTheSameSandbox() throws {
        let keys = [
            "User", "Group", "AmbientCapabilities", "CapabilityBoundingSet", "NoNewPrivileges", "UMask", "Protect",
            "Private",
            "Restrict", "SystemCall", "Memory", "Lock", "Device", "RemoveIPC", "Keyring",
        ]
        func sandbox(_ path: String) throws -> [String] {
            try Repository.text(path).split(separator: "\n").map(String.init)
                .filter { line in keys.contains { line.hasPrefix($0) } && !line.hasPrefix("RestartSec") }
                .sorted()
        }
        let daemon = try sandbox("systemd/weftd.service")
        #expect(daemon.count > 25)
        #expect(try sandbox("systemd/weft-cleanup.service") == daemon)
    }

    /// What a user meets on a host is in README.md.
    @Test(arguments: [
        "systemd/install", "systemd/uninstall", "Tests/run", "15001", "15006", "/run/weft/weft.sock",
        "/etc/weft/weft.toml",
        "/var/lib/weft", "weft status", "weft services", "weft workloads", "weft connections", "weft decisions",
        "weft check",
        "weft on", "weft off", "/metrics", "weft_keep", "CAP_NET_ADMIN", "weftd.service",
    ])
    func theReadmeTellsOf(_ subject: String) throws {
        #expect(try Repository.text("README.md").contains(subject))
    }

    @Test func theReadmeTellsOfEveryTarget() throws {
        let readme = try Repository.text("README.md")
        for name in Repository.names(in: "Sources") { #expect(readme.contains("`\(name)`"), "\(name)") }
    }
}

import Testing

/// The dependency table in Package.swift is the architecture. SwiftPM itself lets a target import any module that happens
/// to be built, so this compares the `import` lines with the table.
@Suite struct DependencyTests {
    /// What comes with the toolchain and needs no entry in the table.
    private static let toolchain: Set = [
        "Glibc", "Musl", "Synchronization", "Dispatch", "FoundationEssentials", "Testing",
    ]

    /// Sans-IO: no sockets, no clocks, no threads of their own. See their section in Package.swift.
    static let cores: Set = ["WeftCore", "WeftConfig", "WeftCatalog", "WeftCapture", "WeftGossip", "WeftProxy"]

    /// Modules that some targets must not have even if the table is changed to name them.
    private static let walls: [(targets: Set<String>, modules: Set<String>, reason: String)] = [
        (
            cores.union(["WeftAPI"]),
            [
                "NIOCore", "NIOPosix", "Dispatch", "Hummingbird", "AsyncHTTPClient", "Logging", "ServiceLifecycle",
                "WeftHost",
            ],
            "cores take bytes and events and return actions; a shell in WeftTransport or WeftHost does the IO"
        ),
        (
            ["WeftCLI", "weft"], ["WeftHost", "WeftTransport", "WeftDaemon", "WeftCapture", "CNetfilter"],
            "daemon and CLI meet only at the Unix socket, in the types of WeftAPI"
        ),
        (
            ["WeftTransport"], ["WeftHost", "WeftAPI", "Hummingbird"],
            "the data plane knows neither the kernel's netlink nor the API; WeftDaemon connects them"
        ),
        (
            ["WeftHost"], ["NIOCore", "NIOPosix", "WeftTransport"],
            "Linux effects are plain blocking calls; who makes them chooses the thread"
        ),
    ]

    private static func table() throws -> PackageTable { try PackageTable(Repository.text("Package.swift")) }

    @Test func everyImportIsNamedInTheTable() throws {
        for target in try Self.table().targets {
            for file in try Repository.swiftFiles(in: target.path) {
                for (number, module) in Self.imports(of: file) where !Self.toolchain.contains(module) {
                    #expect(
                        target.dependencies.contains(module),
                        """
                        \(file.path):\(number): \(target.name) imports \(module), which its entry in Package.swift does not \
                        name. If the edge is right, add it there; else move the code to a target that has it.
                        """
                    )
                }
            }
        }
    }

    @Test func everyDependencyIsImportedSomewhere() throws {
        let targets = try Self.table().targets
        // Named so that it is built before the tests that run it.
        let programs = targets.filter(\.isProgram).map(\.name)
        for target in targets {
            let files = try Repository.swiftFiles(in: target.path)
            guard !files.isEmpty else { continue }
            let imported = Set(files.flatMap { Self.imports(of: $0).map(\.module) })
            let unused = target.dependencies.subtracting(imported).subtracting(programs).sorted()
            #expect(unused == [], "\(target.name) names modules in Package.swift that no file of it imports")
        }
    }

    @Test func noWallIsCrossed() throws {
        for target in try Self.table().targets {
            for wall in Self.walls where wall.targets.contains(target.name) {
                let crossed = target.dependencies.intersection(wall.modules).sorted()
                #expect(crossed == [], "\(target.name): \(wall.reason)")
            }
        }
    }

    @Test func everyDirectoryIsATarget() throws {
        let paths = Set(try Self.table().targets.map(\.path))
        for name in Repository.names(in: "Sources") {
            #expect(paths.contains("Sources/\(name)"), "Sources/\(name) is built by nobody")
        }
        for name in Repository.names(in: "Tests")
        // The fuzzer's targets are there with WEFT_FUZZ only; its corpus is replayed by WeftGossipTests.
        where !Repository.names(in: "Tests/\(name)").isEmpty && !["Support", "Fuzz"].contains(name) {
            #expect(paths.contains("Tests/\(name)"), "Tests/\(name) is run by nobody")
        }
    }

    /// Line numbers and modules, submodules and single declarations as the module that they are of.
    static func imports(of file: Repository.File) -> [(line: Int, module: String)] {
        let statement =
            /^(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|internal|fileprivate|private) +)?import +(?:(?:struct|class|enum|protocol|func|var|let|typealias) +)?(\w+)/
        return SourceText(file.text).lines.enumerated().compactMap { number, line in
            line.firstMatch(of: statement).map { (number + 1, String($0.output.1)) }
        }
    }
}

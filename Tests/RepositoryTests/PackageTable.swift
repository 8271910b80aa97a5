/// The dependency table of Package.swift, read from its text: which target may import what.
struct PackageTable {
    struct Target {
        let name: String
        let path: String
        /// Module names, of other targets and of products.
        let dependencies: Set<String>
        /// It is run, and not imported.
        let isProgram: Bool
    }

    let targets: [Target]

    /// Understands the shape that Package.swift has: `.target(name: ..., dependencies: [...], path: ...)`, with
    /// products by the names that `extension Target.Dependency` gives them.
    init(_ manifest: String) throws {
        var products: [Substring: String] = [:]
        for match in manifest.matches(of: /static let (\w+) = product\(name: "(\w+)"/) {
            products[match.output.1] = String(match.output.2)
        }
        var targets: [Target] = []
        for match in manifest.matches(of: /\.(target|executableTarget|testTarget|systemLibrary)\(/) {
            let body = Self.balanced(manifest[match.range.upperBound...], open: "(", close: ")")
            guard let name = body.firstMatch(of: /name: "([\w-]+)"/)?.output.1 else { continue }
            var dependencies: Set<String> = []
            if let list = body.firstMatch(of: /dependencies: \[/) {
                let items = Self.balanced(body[list.range.upperBound...], open: "[", close: "]")
                for item in items.matches(of: /"([\w-]+)"|\.(\w+)/) {
                    if let target = item.output.1 {
                        dependencies.insert(String(target))
                    } else if let alias = item.output.2 {
                        guard let product = products[alias] else { throw UnknownAlias(name: String(alias)) }
                        dependencies.insert(product)
                    }
                }
            }
            let home = match.output.1 == "testTarget" ? "Tests" : "Sources"
            let path = body.firstMatch(of: /path: "([^"]+)"/).map { String($0.output.1) } ?? "\(home)/\(name)"
            let isProgram = match.output.1 == "executableTarget"
            targets.append(Target(name: String(name), path: path, dependencies: dependencies, isProgram: isProgram))
        }
        self.targets = targets
    }

    struct UnknownAlias: Error {
        let name: String
    }

    /// The text up to the bracket that closes the one before it.
    private static func balanced(_ text: Substring, open: Character, close: Character) -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }
}

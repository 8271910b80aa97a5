import Glibc
import Testing

/// The clone that these tests belong to, as text.
enum Repository {
    /// A file with its path from the root.
    struct File: CustomTestStringConvertible {
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var testDescription: String { path }
    }

    static let root: String = {
        var path = Substring(#filePath)
        // Tests/RepositoryTests/Repository.swift
        for _ in 0..<3 { path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
        return String(path)
    }()

    static func text(_ path: String) throws -> String {
        guard let stream = fopen("\(root)/\(path)", "r") else { throw Missing(path: path) }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            if count == 0 { break }
            bytes.append(contentsOf: buffer.prefix(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Names in a directory, sorted; empty when there is none.
    static func names(in path: String) -> [String] {
        guard let directory = opendir("\(root)/\(path)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// All Swift files below a directory, sorted by path.
    static func swiftFiles(in path: String) throws -> [File] {
        try names(in: path).flatMap { name -> [File] in
            let child = "\(path)/\(name)"
            if name.hasSuffix(".swift") { return [File(path: child, text: try text(child))] }
            return try swiftFiles(in: child)
        }
    }

    static func isExecutable(_ path: String) -> Bool { access("\(root)/\(path)", X_OK) == 0 }

    struct Missing: Error {
        let path: String
    }
}

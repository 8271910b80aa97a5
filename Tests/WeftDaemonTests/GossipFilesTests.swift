import FoundationEssentials
import Testing
import WeftCore
import WeftGossip

@testable import WeftDaemon
@testable import WeftHost

/// What gossip keeps on disk: keys and peers.
@Suite("Files of gossip")
struct GossipFilesTests {
    private static let first = [UInt8](repeating: 1, count: 32)
    private static let second = [UInt8](repeating: 2, count: 16)

    private static func text(_ key: [UInt8]) -> String { Data(key).base64EncodedString() }

    @Test("Without a configured file there is no key")
    func noFile() async throws {
        try await withTemporaryFolder { folder in
            var keys = GossipKeys(configuredPath: nil, stateDirectory: folder)
            let loaded = try keys.load()
            #expect(loaded == [])
        }
    }

    @Test("A file holds one key, several, or a JSON list, the one to send with first")
    func forms() throws {
        let (first, second) = (Self.text(Self.first), Self.text(Self.second))
        for text in ["\(first)\n\(second)\n", "[\"\(first)\", \"\(second)\"]", "  \(first) \(second) \(first)"] {
            #expect(try GossipKeys.keys(in: Array(text.utf8), path: "/x") == [Self.first, Self.second])
        }
        #expect(try GossipKeys.keys(in: Array(second.utf8), path: "/x") == [Self.second])
    }

    @Test(
        "What is no key is refused with its place, and never shown",
        arguments: [
            ("", "holds 0 keys"), ("secret", "key 1 is not 16, 24 or 32 bytes in base64"),
            ("AQEBAQEBAQEBAQEBAQEBAQ== c2hvcnQ=", "key 2 is not"), ("[\"a\"", "JSON list"), ("[1]", "JSON list"),
            (String(repeating: "AQEBAQEBAQEBAQEBAQEBAQ== ", count: 65), "holds 65 keys"),
        ]
    )
    func malformed(_ text: String, _ reason: String) throws {
        let error = #expect(throws: GossipKeyError.self) { try GossipKeys.keys(in: Array(text.utf8), path: "/x") }
        let shown = "\(try #require(error))"
        #expect(shown.contains(reason) && shown.contains("/x"))
        #expect(!shown.contains("secret") && !shown.contains("c2hvcnQ="))
    }

    @Test("Changes are kept until the configured file changes")
    func changes() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/key"
            try AtomicFile.write(Array(Self.text(Self.first).utf8), to: path)
            var keys = GossipKeys(configuredPath: path, stateDirectory: folder)
            #expect(try keys.load() == [Self.first])
            try keys.save([Self.second, Self.first])
            var restarted = GossipKeys(configuredPath: path, stateDirectory: folder)
            #expect(try restarted.load() == [Self.second, Self.first])
            let third = [UInt8](repeating: 3, count: 24)
            try AtomicFile.write(Array(Self.text(third).utf8), to: path)
            #expect(try restarted.load() == [third])
            #expect(fileStatus(folder + "/gossip-keys")?.permissions == 0o600)
        }
    }

    @Test("A configured file that is not there is an error, and a damaged state is none")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            var keys = GossipKeys(configuredPath: folder + "/none", stateDirectory: folder)
            #expect(throws: GossipKeyError.self) { try keys.load() }
            let path = folder + "/key"
            try AtomicFile.write(Array(Self.text(Self.first).utf8), to: path)
            try AtomicFile.write(Array("{".utf8), to: folder + "/gossip-keys")
            var damaged = GossipKeys(configuredPath: path, stateDirectory: folder)
            #expect(try damaged.load() == [Self.first])
        }
    }

    @Test("Peers and clocks come back as they were")
    func memory() async throws {
        try await withTemporaryFolder { folder in
            let memory = GossipMemory(stateDirectory: folder)
            #expect(try memory.load() == nil)
            let snapshot = GossipSnapshot(
                members: [
                    .init(name: "a", address: NetworkAddress(.v4(0x0a00_0001), port: 7946)),
                    .init(
                        name: "b",
                        address: NetworkAddress(.v6(high: 0xfd00 << 48, low: 1), port: 7000),
                        wasAlive: false
                    ),
                ],
                memberClock: 3,
                eventClock: 4,
                queryClock: 5
            )
            try memory.save(snapshot)
            #expect(try memory.load() == snapshot)
            try AtomicFile.write(Array("[]".utf8), to: folder + "/gossip-peers")
            #expect(throws: (any Error).self) { try memory.load() }
        }
    }
}

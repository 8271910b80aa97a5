import FoundationEssentials
import Testing

@testable import WeftGossip

/// The fuzzer's corpus and every input that ever failed, replayed: see Tests/Fuzz.
@Suite struct FuzzCorpusTests {
    private static let folder = WireVectors.folder.deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    @Test func replay() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files.count > 60, "the corpus is gone")
        for file in files { FuzzInput(Array(try Data(contentsOf: Self.folder.appending(path: file)))).run() }
    }

    /// Writes the corpus anew when WEFT_WRITE_CORPUS is set; else checks that every vector is in it.
    @Test func theCorpusHoldsTheVectors() throws {
        let writes = ProcessInfo.processInfo.environment["WEFT_WRITE_CORPUS"] != nil
        for (name, input) in Self.vectorInputs {
            let file = Self.folder.appending(path: name)
            if writes { try Data(input).write(to: file) }
            #expect(try Array(Data(contentsOf: file)) == input, "\(name): run the tests with WEFT_WRITE_CORPUS=1")
        }
    }

    /// The vectors with what `FuzzInput` wants in front. One direction of each exchange is enough.
    private static var vectorInputs: [(String, [UInt8])] {
        let packets = WireVectors.all.udp.map { vector in
            ("packet-\(vector.id)", [FuzzInput.mode(vector.security, isStream: false)] + vector.bytes)
        }
        let streams = WireVectors.all.streams.filter(\.isFromDialler).map { vector in
            ("stream-\(vector.id)", [FuzzInput.mode(vector.security, isStream: true)] + vector.bytes)
        }
        return packets + streams
    }
}

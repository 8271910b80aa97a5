import Testing
import WeftProxy

/// weft beside llhttp: both take a stream and see the same messages in it, or weft takes less. What is otherwise is in
/// `DifferenceTable`.
@Suite struct DifferentialTests {
    private static let methods: [RequestMethod] = [.get, .head, .get]

    private func difference(_ bytes: [UInt8], _ pieces: [[UInt8]], isResponse: Bool) throws -> Difference? {
        isResponse
            ? try Difference(bytes, in: pieces, answering: Self.methods) : try Difference(bytes, in: pieces)
    }

    @Test(arguments: DifferenceTable.requests + DifferenceTable.responses)
    func listedDifferencesExist(_ entry: DifferenceTable.Entry) throws {
        let bytes = latin1(entry.example)
        #expect(entry.isMeant(bytes))
        for pieces in [[bytes], bytes.map { [$0] }] {
            #expect(try difference(bytes, pieces, isResponse: entry.isResponse) == entry.difference)
        }
    }

    @Test(arguments: [false, true])
    func otherDifferencesDoNot(isResponse: Bool) throws {
        let table = isResponse ? DifferenceTable.responses : DifferenceTable.requests
        let meant = Dictionary(uniqueKeysWithValues: table.map { ($0.difference, $0.isMeant) })
        var agreed = 0
        for seed in 0..<UInt64(6000) {
            var generator = MessageGenerator(seed: seed)
            let bytes = isResponse ? generator.responses() : generator.requests()
            guard let found = try difference(bytes, generator.pieces(bytes), isResponse: isResponse) else {
                agreed += 1
                continue
            }
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            #expect(meant[found]?(bytes) == true, "seed \(seed): \(found) in \(text)")
        }
        #expect(agreed > 4500, "the generator writes too little that both take")
    }

    /// The cases of both lists, for which no class of differences may be missing either.
    @Test func refusedCasesAreRefusedByBothOrListed() throws {
        let listed = Set(DifferenceTable.requests.map(\.difference))
        let chunks = ChunkCases.refused.map {
            latin1("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + $0.text)
        }
        for bytes in RequestCases.refused.map(\.bytes) + chunks {
            guard let found = try difference(bytes, [bytes], isResponse: false) else { continue }
            #expect(listed.contains(found), "\(found) in \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
    }
}

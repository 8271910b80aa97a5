import FoundationEssentials
import Testing
import WeftProxy
import WeftTestRig

/// The fuzzer's corpus and every input that ever failed, replayed: see Tests/Fuzz. And scripts of a generator's own.
@Suite struct ProxyFuzzTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/ProxyCorpus")

    @Test func replay() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(files.count >= Self.cases.count, "the corpus is gone")
        for file in files { ProxyFuzzInput(Array(try Data(contentsOf: Self.folder.appending(path: file)))).run() }
    }

    /// Writes the corpus anew when WEFT_WRITE_CORPUS is set; else checks that every case is in it.
    @Test func theCorpusHoldsTheCases() throws {
        let writes = ProcessInfo.processInfo.environment["WEFT_WRITE_CORPUS"] != nil
        for (name, input) in Self.cases {
            let file = Self.folder.appending(path: name)
            if writes { try Data(input.input).write(to: file) }
            #expect(try Array(Data(contentsOf: file)) == input.input, "\(name): run the tests with WEFT_WRITE_CORPUS=1")
        }
    }

    /// Any events in any order; each kind of end is among what they lead to.
    @Test func scriptsBreakNoRule() {
        var (rng, ends) = (SplitMix64(seed: 9), Set<String>())
        for _ in 0..<4000 {
            let length = Int.random(in: 1...14, using: &rng)
            let rig = ExchangeExercise.play(Self.script(of: length, using: &rng))
            for ending in rig.endings { ends.insert(String("\(ending)".prefix { $0 != "(" })) }
        }
        let all = [
            "completed", "upgraded", "refused", "malformedRequest", "malformedResponse", "responseTruncated",
            "clientLeft",
            "clientTimeout", "cancelled",
        ]
        #expect(ends == Set(all))
    }

    @Test func decisionsBreakNoRule() {
        var (rng, retried) = (SplitMix64(seed: 11), 0)
        for _ in 0..<500 {
            let script = (0..<400).map { _ in UInt8.random(in: 0...255, using: &rng) }
            retried += DecisionExercise.play(script).retried
        }
        #expect(retried > 100)
    }

    @Test func generatedStreamsBreakNoRule() {
        for seed in 0..<UInt64(1500) {
            var generator = MessageGenerator(seed: seed)
            let (requests, responses) = (generator.requests(), generator.responses())
            ProxyFuzzInput(.requests, cuts: UInt8(seed & 0xff), requests).run()
            ProxyFuzzInput(.responses, cuts: UInt8(seed & 0xff), responses).run()
            ProxyFuzzInput(.detection, cuts: UInt8(seed & 0xff), requests).run()
        }
    }

    /// Mostly what leads on: a request, an upstream, a response; bytes of one kind in two parts now and then.
    private static func script(of length: Int, using rng: inout SplitMix64) -> [UInt8] {
        let usual: [UInt8] = [2, 2, 2, 14, 14, 14, 3, 3, 3, 3]
        return (0..<length).flatMap { _ -> [UInt8] in
            let variant = UInt8.random(in: 0...15, using: &rng)
            let isUsual = Int.random(in: 0...3, using: &rng) > 0
            let op = isUsual ? usual.randomElement(using: &rng) ?? 2 : UInt8.random(in: 4...13, using: &rng)
            guard isUsual, op != 14, Int.random(in: 0...3, using: &rng) == 0 else { return [variant << 4 | op] }
            let texts = op == 2 ? ExchangeExercise.requests : ExchangeExercise.responses
            let bytes = latin1(texts[Int(variant)])
            let cut = Int.random(in: 0...bytes.count, using: &rng)
            return [op - 2, UInt8(cut)] + bytes[..<cut] + [14, op - 2, UInt8(bytes.count - cut)] + bytes[cut...]
        }
    }

    // MARK: - The corpus

    private static var cases: [(String, ProxyFuzzInput)] {
        var cases: [(String, ProxyFuzzInput)] = []
        func add(_ kind: ProxyFuzzInput.Kind, _ streams: [[UInt8]]) {
            for (index, bytes) in streams.enumerated() {
                cases.append(("\(kind)-\(index)", ProxyFuzzInput(kind, cuts: UInt8(index % 256), bytes)))
            }
        }
        let body = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        add(
            .requests,
            (DesyncAttack.refused + DesyncAttack.refusedInBody).map { latin1($0.stream) }
                + ChunkCases.accepted.map { latin1(body + $0) }
        )
        add(
            .responses,
            ExchangeExercise.responses.map { latin1($0) } + DifferenceTable.responses.map { latin1($0.example) }
        )
        var rng = SplitMix64(seed: 1)
        add(.exchange, (0..<24).map { _ in script(of: 12, using: &rng) })
        add(.decision, (0..<16).map { _ in (0..<300).map { _ in UInt8.random(in: 0...255, using: &rng) } })
        add(.detection, DetectionCases.decided.enumerated().filter { $0.offset % 4 == 0 }.map(\.element.bytes))
        return cases
    }
}

import WeftProxy

/// What the fuzzer's bytes mean: `kind:u8 | cuts:u8 | bytes`. `cuts` chooses how the bytes come; a script of events has no
/// need of it.
struct ProxyFuzzInput {
    enum Kind: UInt8, CaseIterable {
        case requests
        case responses
        case exchange
        case detection
        case decision
    }

    let kind: Kind
    let cuts: UInt8
    let bytes: [UInt8]

    init(_ kind: Kind, cuts: UInt8 = 0, _ bytes: [UInt8]) { (self.kind, self.cuts, self.bytes) = (kind, cuts, bytes) }

    init(_ input: [UInt8]) {
        let kind = Kind.allCases[Int(input.first ?? 0) % Kind.allCases.count]
        self.init(kind, cuts: input.dropFirst().first ?? 0, Array(input.dropFirst(2)))
    }

    /// The other way round.
    var input: [UInt8] { [kind.rawValue, cuts] + bytes }

    /// Traps when something does not hold.
    func run() {
        switch kind {
        case .requests: StreamExercise.requests(bytes, in: pieces(bytes))
        case .responses: StreamExercise.responses(bytes, in: pieces(bytes), answering: methods)
        case .exchange: ExchangeExercise.play(bytes)
        case .detection: DetectionExercise.firstBytes(bytes, pieces: pieces)
        case .decision: DecisionExercise.play(bytes)
        }
    }

    private func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
        var rng = SplitMix64(seed: UInt64(cuts))
        return Splits.random(bytes, longest: cuts & 1 == 0 ? 4 : 64, using: &rng)
    }

    private var methods: [RequestMethod] {
        [.get, .head, .connect, .post].map { [$0, .get, .head] }[Int(cuts >> 6)]
    }
}

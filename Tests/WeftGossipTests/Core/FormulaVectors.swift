import FoundationEssentials

/// The parts of vectors.json that were computed by memberlist's and Serf's own functions.
struct FormulaVectors: Decodable, Sendable {
    struct Formulas: Decodable, Sendable {
        struct Scaling: Decodable, Sendable {
            let n: Int
            let pushPull: Double
            let retransmitLimit: Int?
            let suspicionLAN: Double?
            let suspicionWAN: Double?

            enum CodingKeys: String, CodingKey {
                case n
                case pushPull = "pushPull_s(30s,n)"
                case retransmitLimit = "retransmitLimit(4,n)"
                case suspicionLAN = "suspicionMin_s(4,n,1s)"
                case suspicionWAN = "suspicionMin_s(6,n,5s)"
            }
        }

        struct Suspicion: Decodable, Sendable {
            let k: Int
            let n: Int
            let max_s: Double
            let min_s: Double
            let timeout_s: Double
        }

        let values: [Scaling]
        let suspicionTimeoutByConfirmations: [Suspicion]
    }

    struct Vivaldi: Decodable, Sendable {
        struct Place: Decodable, Sendable {
            let Vec: [Double]
            let Error: Double
            let Adjustment: Double
            let Height: Double
        }

        struct Step: Decodable, Sendable {
            let rtt_s: Double
            let result: Place
        }

        struct Run: Decodable, Sendable {
            let start: Place
            let other: Place
            let distance_s_startToOther: Double
            let steps: [Step]
        }

        let data: Run
    }

    let formulas: Formulas
    let vivaldi: Vivaldi

    static let all: FormulaVectors = {
        do {
            let data = try Data(contentsOf: WireVectors.folder.appending(path: "Fixtures/vectors.json"))
            return try JSONDecoder().decode(FormulaVectors.self, from: data)
        } catch {
            fatalError("Fixtures/vectors.json cannot be read: \(error)")
        }
    }()
}

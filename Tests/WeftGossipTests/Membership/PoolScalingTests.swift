import Testing

@testable import WeftGossip

@Suite("Formulas of the pool's size equal memberlist's")
struct PoolScalingTests {
    @Test func vectors() {
        for vector in FormulaVectors.all.formulas.values {
            let n = vector.n
            #expect(PoolScaling.pushPullInterval(.seconds(30), nodes: n) == .seconds(vector.pushPull), "n = \(n)")
            if let limit = vector.retransmitLimit {
                #expect(PoolScaling.retransmitLimit(mult: 4, nodes: n) == limit, "n = \(n)")
            }
            if let minimum = vector.suspicionLAN {
                #expect(
                    PoolScaling.suspicionMinimum(mult: 4, nodes: n, interval: .seconds(1))
                        == .milliseconds(Int64((minimum * 1000).rounded()))
                )
            }
            if let minimum = vector.suspicionWAN {
                #expect(
                    PoolScaling.suspicionMinimum(mult: 6, nodes: n, interval: .seconds(5))
                        == .milliseconds(Int64((minimum * 1000).rounded()))
                )
            }
        }
    }

    @Test func suspicionShortensWithConfirmations() {
        for vector in FormulaVectors.all.formulas.suspicionTimeoutByConfirmations {
            let timeout = PoolScaling.suspicionTimeout(
                confirmations: vector.n,
                expected: vector.k,
                minimum: .seconds(vector.min_s),
                maximum: .seconds(vector.max_s)
            )
            #expect(timeout == .milliseconds(Int64((vector.timeout_s * 1000).rounded())), "\(vector)")
        }
    }

    @Test func queryTimeoutIsThreeSecondsInSmallPools() {
        let timeout = { PoolScaling.queryTimeout(gossipInterval: .milliseconds(200), mult: 16, nodes: $0) }
        #expect([1, 9, 10, 1000].map(timeout) == [3200, 3200, 6400, 12800].map { .milliseconds($0) })
    }
}

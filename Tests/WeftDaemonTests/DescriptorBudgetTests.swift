import Testing

@testable import WeftDaemon

@Suite("Descriptor budget")
struct DescriptorBudgetTests {
    @Test(
        "Shares of a limit",
        arguments: [
            (256, 96, 16), (1024, 480, 16), (2048, 960, 80), (4096, 1920, 208), (16_384, 7680, 976),
            (20_000, 9375, 1202), (65_536, 30_720, 4048), (73_728, 34_560, 4560), (262_144, 128_768, 4560),
            (1_048_576, 521_984, 4560),
        ]
    )
    func shares(_ limit: Int, _ connections: Int, _ apiConnections: Int) {
        let budget = DescriptorBudget(limit: limit)
        #expect(budget.connections == connections)
        #expect(budget.apiConnections == apiConnections)
    }

    @Test("Whatever the limit, both have something, and together they stay within it where it is any use")
    func bounds() {
        for limit in Array(0...5000) + (13...62).map({ 1 << $0 }) + [.max] {
            let budget = DescriptorBudget(limit: limit)
            #expect(budget.connections >= 1 && budget.apiConnections >= 1)
            guard limit >= 128 else { continue }
            #expect(budget.connections.multipliedReportingOverflow(by: 2).overflow == false)
            #expect(2 * budget.connections + budget.apiConnections <= limit - 48, "\(limit)")
        }
    }

    @Test("More descriptors never mean fewer connections")
    func monotone() {
        var last = DescriptorBudget(limit: 0)
        for limit in 1...100_000 {
            let budget = DescriptorBudget(limit: limit)
            #expect(budget.connections >= last.connections && budget.apiConnections >= last.apiConnections)
            last = budget
        }
    }

    @Test("This process has a budget")
    func thisProcess() { #expect(DescriptorBudget.ofThisProcess().connections > 1) }
}

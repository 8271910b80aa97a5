import Testing
import WeftCapture
import WeftCore

struct RulesetDifferenceTests {
    private func ruleset(_ change: (inout CaptureSpec) -> Void = { _ in }) throws -> Ruleset {
        var spec = CaptureSpec()
        spec.inboundPorts = [80]
        spec.excludedAddresses = [IPPrefix.known("10.0.0.0/24")]
        change(&spec)
        return try CaptureRules.ruleset(for: spec)
    }

    @Test func equalRulesetsDifferInNothing() throws {
        #expect(try RulesetDifference(from: ruleset(), to: ruleset()) == .none)
    }

    @Test func newServiceIsOneElement() throws {
        guard
            case .elements(let changes) = try RulesetDifference(
                from: ruleset(),
                to: ruleset { $0.inboundPorts = [80, 81] }
            )
        else {
            Issue.record("not elements")
            return
        }
        #expect(changes.map(\.set) == ["in_ports"])
        #expect(changes.map(\.table) == ["weft"])
        #expect(changes.first?.added == [.port(81)])
        #expect(changes.first?.removed == [])
    }

    @Test func grownBlockReplacesItsRange() throws {
        let new = try ruleset { $0.excludedAddresses.append(IPPrefix.known("10.0.1.0/24")) }
        guard case .elements(let changes) = try RulesetDifference(from: ruleset(), to: new) else {
            Issue.record("not elements")
            return
        }
        #expect(changes.flatMap(\.removed).map(\.text) == ["10.0.0.0/24"])
        #expect(changes.flatMap(\.added).map(\.text) == ["10.0.0.0/23"])
    }

    @Test func exclusionsReachTheClosedTableToo() throws {
        func closed(_ users: Set<UserID>) throws -> Ruleset {
            try ruleset {
                $0.failClosed = true
                $0.failClosedUsers = [UserID(1)]
                $0.excludedUsers = users
            }
        }
        guard case .elements(let changes) = try RulesetDifference(from: closed([]), to: closed([UserID(5)])) else {
            Issue.record("not elements")
            return
        }
        #expect(changes.map(\.table) == ["weft_closed", "weft"])
    }

    @Test(
        arguments: [
            { $0.scope = .mesh }, { $0.inboundPorts = [] }, { $0.capturesLocal = true }, { $0.failClosed = true },
            { $0.preservesClientAddress = false }, { $0.features.present.remove(.ipv6) },
            { $0.excludedCgroups = [CgroupReference(level: 7, id: CgroupID(1))] },
        ] as [@Sendable (inout CaptureSpec) -> Void]
    )
    func otherRulesMeanReplacement(change: @Sendable (inout CaptureSpec) -> Void) throws {
        #expect(try RulesetDifference(from: ruleset(), to: ruleset(change)) == .replace)
        #expect(try RulesetDifference(from: ruleset(change), to: ruleset()) == .replace)
    }
}

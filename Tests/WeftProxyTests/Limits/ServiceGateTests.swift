import Testing
import WeftCore
import WeftProxy

@Suite struct ServiceGateTests {
    private let counts = SharedCounts(secret: 1)

    private func gate(_ change: (inout ServicePolicy) -> Void) -> ServiceGate {
        var policy = ServicePolicy()
        change(&policy)
        return ServiceGate(
            policy: policy,
            rates: ServiceRates(),
            connections: counts.counter(of: name("api")),
            loops: 2
        )
    }

    private func arrive(
        _ number: UInt64,
        _ gate: inout ServiceGate,
        _ caller: inout ServiceGate.Caller,
        at now: Duration = .seconds(5)
    ) -> ServiceGate.Verdict {
        var actions: [FairAdmission.Action] = []
        return gate.arrived(RequestToken(number), from: &caller, now: .at(now), into: &actions)
    }

    @Test func ratesComeBeforePlaces() {
        var gate = gate {
            $0.callerRate = rate(2)
            $0.requestsMax = 2
            $0.pendingMax = 2
        }
        var web = ServiceGate.Caller(CallerKey(identity("shop/sa/web"), secret: 1), tenant: tenant("shop"))
        var job = ServiceGate.Caller(CallerKey(identity("batch/sa/job"), secret: 1), tenant: tenant("batch"))
        guard case .started = arrive(1, &gate, &web), case .waiting = arrive(2, &gate, &web) else {
            Issue.record("one place and one to wait on each of two loops")
            return
        }
        #expect(arrive(3, &gate, &web) == .refused(.rateLimited, retryAfter: .milliseconds(500)))
        #expect(gate.admission.waiting == 1, "what is over its rate does not wait")
        #expect(arrive(4, &gate, &job) == .refused(.pendingOverflow, retryAfter: .seconds(1)))
    }

    @Test func connectionsHaveABoundForAllLoopsTogether() {
        var one = gate { $0.connectionsMax = 3 }
        let other = gate { $0.connectionsMax = 3 }
        #expect([one.connectionWanted(), one.connectionWanted(), other.connectionWanted()] == [true, true, true])
        #expect([one.connectionWanted(), other.connectionWanted()] == [false, false])
        one.connectionClosed()
        #expect([other.connectionWanted(), one.connectionWanted()] == [true, false])
        var actions: [FairAdmission.Action] = []
        var policy = ServicePolicy()
        policy.connectionsMax = 8
        one.policyChanged(policy, loops: 2, into: &actions)
        #expect((0..<8).count { _ in one.connectionWanted() } == 5)
    }
}

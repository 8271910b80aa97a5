import Testing
import WeftCore

@testable import WeftProxy

/// Random events against a slow and obvious model of the rule.
@Suite struct FairAdmissionModelTests {
    private struct Waiting: Equatable {
        let token: UInt64
        let tenant: Int
    }

    /// The rule as it is written, with lists.
    private struct Model {
        var inside: [(token: UInt64, tenant: Int)] = []
        var queue: [Waiting] = []
        let weights: [Int]

        func held(_ tenant: Int) -> Double {
            Double(inside.count { $0.tenant == tenant }) / Double(weights[tenant])
        }

        func queued(_ tenant: Int, extra: Int = 0) -> Double {
            Double(queue.count { $0.tenant == tenant } + extra) / Double(weights[tenant])
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func followsTheRule(seed: UInt64) throws {
        var rng = SplitMix64(seed: seed)
        // Powers of two, so that the model's quotients are exact.
        let weights = (0..<5).map { _ in [1, 1, 2, 4].randomElement(using: &rng) ?? 1 }
        var policy = ServicePolicy()
        policy.requestsMax = Int.random(in: 1...6, using: &rng)
        policy.pendingMax = Int.random(in: 0...12, using: &rng)
        for (number, weight) in weights.enumerated() { policy.tenantWeights[tenant("t\(number)")] = weight }
        var admission = FairAdmission(policy: policy, loops: 1)
        var model = Model(weights: weights)
        var hints = Array(repeating: TableHint(), count: 5)
        var places: [UInt64: TenantPlace] = [:]
        var next: UInt64 = 0
        for _ in 0..<800 {
            var actions: [FairAdmission.Action] = []
            if !model.inside.isEmpty, Int.random(in: 0..<5, using: &rng) < 2 {
                let ended = model.inside.remove(at: Int.random(in: 0..<model.inside.count, using: &rng))
                admission.finished(try #require(places[ended.token]), into: &actions)
            } else if !model.queue.isEmpty, Int.random(in: 0..<10, using: &rng) == 0 {
                let left = model.queue.remove(at: Int.random(in: 0..<model.queue.count, using: &rng))
                admission.cancelled(RequestToken(left.token), try #require(places[left.token]))
            } else {
                next += 1
                let who = Int.random(in: 0..<5, using: &rng)
                let (arrival, place) = admission.arrived(
                    RequestToken(next),
                    tenant: tenant("t\(who)"),
                    hint: &hints[who],
                    now: .at(.zero),
                    into: &actions
                )
                places[next] = place
                check(arrival, of: Waiting(token: next, tenant: who), policy, &model, &actions)
            }
            check(actions, policy, &model)
            #expect(admission.inFlight == model.inside.count)
            #expect(admission.waiting == model.queue.count)
        }
    }

    private func check(
        _ arrival: FairAdmission.Arrival,
        of request: Waiting,
        _ policy: ServicePolicy,
        _ model: inout Model,
        _ actions: inout [FairAdmission.Action]
    ) {
        let longest = Set(model.queue.map(\.tenant)).map { model.queued($0) }.max() ?? 0
        switch arrival {
        case .started:
            #expect(model.inside.count < policy.requestsMax && model.queue.isEmpty)
            model.inside.append((request.token, request.tenant))
        case .waiting:
            #expect(model.inside.count == policy.requestsMax)
            if model.queue.count == policy.pendingMax {
                guard case .refuse(let token, .pendingOverflow)? = actions.first,
                    let index = model.queue.firstIndex(where: { $0.token == token.number })
                else {
                    Issue.record("nobody made room")
                    return
                }
                let loser = model.queue[index].tenant
                #expect(model.queued(loser) == longest)
                #expect(longest > model.queued(request.tenant, extra: 1))
                #expect(model.queue.last { $0.tenant == loser } == model.queue[index], "its newest")
                model.queue.remove(at: index)
                actions.removeFirst()
            }
            model.queue.append(request)
        case .refused(let flag):
            #expect(flag == .pendingOverflow)
            #expect(model.queue.count == policy.pendingMax)
            #expect(longest <= model.queued(request.tenant, extra: 1))
        }
    }

    /// Each freed place goes to the waiting tenant with the fewest, and none stays empty while somebody waits.
    private func check(_ actions: [FairAdmission.Action], _ policy: ServicePolicy, _ model: inout Model) {
        for action in actions {
            guard case .start(let token) = action,
                let index = model.queue.firstIndex(where: { $0.token == token.number })
            else {
                Issue.record("\(action) of nobody who waits")
                continue
            }
            let chosen = model.queue[index]
            let fewest = Set(model.queue.map(\.tenant)).map { model.held($0) }.min()
            #expect(model.held(chosen.tenant) == fewest)
            let rivals = model.queue.filter { model.held($0.tenant) == fewest }
            #expect(rivals.first == chosen, "of equals, the one that waited longest")
            model.queue.remove(at: index)
            model.inside.append((chosen.token, chosen.tenant))
        }
        #expect(model.queue.isEmpty || model.inside.count == policy.requestsMax)
    }
}

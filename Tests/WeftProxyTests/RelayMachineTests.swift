import Testing
import WeftCore
import WeftProxy

@Suite struct RelayMachineTests {
    typealias Action = RelayMachine.Action

    /// Applies events and gives the actions of the last one.
    private func actions(_ machine: inout RelayMachine, _ event: (inout RelayMachine, inout [Action]) -> Void)
        -> [Action]
    {
        var actions: [Action] = []
        event(&machine, &actions)
        return actions
    }

    private func openMachine() -> RelayMachine {
        var machine = RelayMachine()
        var actions: [Action] = []
        machine.dialSucceeded(into: &actions)
        return machine
    }

    @Test func acceptedDialStartsTheRelay() {
        var machine = RelayMachine()
        #expect(machine.phase == .dialling)
        #expect(actions(&machine) { $0.dialSucceeded(into: &$1) } == [.startRelay])
        #expect(machine.phase == .open)
    }

    @Test func refusedDialResetsTheClient() {
        var machine = RelayMachine()
        let result = actions(&machine) { $0.dialFailed(.refused, side: .destination, into: &$1) }
        #expect(result == [.abort(.client), .finish(Outcome(.refused, side: .destination))])
        #expect(machine.phase == .finished)
    }

    @Test func clientThatEndsDuringTheDialIsHeardAfterIt() {
        var machine = RelayMachine()
        #expect(actions(&machine) { $0.inputEnded(.client, into: &$1) } == [])
        let result = actions(&machine) { $0.dialSucceeded(into: &$1) }
        #expect(result == [.startRelay, .watchSilence, .endOutput(.destination)])
        #expect(machine.phase == .halfClosed)
    }

    @Test(arguments: RelayMachine.Leg.allCases)
    func halfCloseGoesThroughInEitherOrder(first: RelayMachine.Leg) {
        var machine = openMachine()
        let one = actions(&machine) { $0.inputEnded(first, into: &$1) }
        #expect(one == [.watchSilence, .endOutput(first.other)])
        #expect(actions(&machine) { $0.outputEnded(first.other, into: &$1) } == [])
        #expect(machine.phase == .halfClosed)
        #expect(actions(&machine) { $0.inputEnded(first.other, into: &$1) } == [.endOutput(first)])
        let end = actions(&machine) { $0.outputEnded(first, into: &$1) }
        #expect(end == [.finish(Outcome(.completed, side: .client))])
    }

    @Test(arguments: RelayMachine.Leg.allCases)
    func resetOfOneLegResetsTheOther(broken: RelayMachine.Leg) {
        var machine = openMachine()
        let result = actions(&machine) { $0.legFailed(broken, .reset, into: &$1) }
        #expect(result == [.abort(broken.other), .finish(Outcome(.reset, side: broken.side))])
    }

    @Test func resetBehindACompleteLegIsNoFailure() {
        var machine = openMachine()
        _ = actions(&machine) { $0.inputEnded(.client, into: &$1) }
        _ = actions(&machine) { $0.outputEnded(.destination, into: &$1) }
        _ = actions(&machine) { $0.inputEnded(.destination, into: &$1) }
        #expect(actions(&machine) { $0.legFailed(.destination, .reset, into: &$1) } == [])
        let end = actions(&machine) { $0.outputEnded(.client, into: &$1) }
        #expect(end == [.finish(Outcome(.completed, side: .client))])
    }

    @Test func silenceCountsOnlyWhenHalfClosed() {
        var machine = openMachine()
        #expect(actions(&machine) { $0.silenceExpired(into: &$1) } == [])
        _ = actions(&machine) { $0.inputEnded(.client, into: &$1) }
        let result = actions(&machine) { $0.silenceExpired(into: &$1) }
        #expect(
            result == [
                .abort(.client), .abort(.destination), .finish(Outcome(.lingerTimeout, side: .destination)),
            ]
        )
    }

    @Test func cancelEndsEveryLiveStateOnce() {
        var machine = openMachine()
        let result = actions(&machine) { $0.cancel(.shutdown, into: &$1) }
        #expect(result.last == .finish(Outcome(.shutdown, side: .weft)))
        #expect(actions(&machine) { $0.cancel(.shutdown, into: &$1) } == [])
    }

    /// Random legal events: the machine finishes once, sends nothing after it, and ends an output at most once.
    @Test(arguments: UInt64(1)...200)
    func randomEventsKeepTheRules(seed: UInt64) {
        var rng = SplitMix64(seed: seed)
        var machine = RelayMachine()
        var finished = 0
        var endedOutputs: [RelayMachine.Leg: Int] = [:]
        for _ in 0..<40 {
            var actions: [Action] = []
            let leg: RelayMachine.Leg = Bool.random(using: &rng) ? .client : .destination
            switch Int.random(in: 0..<7, using: &rng) {
            case 0: machine.dialSucceeded(into: &actions)
            case 1 where seed % 3 == 0: machine.dialFailed(.unreachable, side: .destination, into: &actions)
            case 2, 3: machine.inputEnded(leg, into: &actions)
            case 4: if endedOutputs[leg] != nil { machine.outputEnded(leg, into: &actions) }
            case 5 where seed % 2 == 0: machine.legFailed(leg, .reset, into: &actions)
            case 6 where seed % 5 == 0: machine.silenceExpired(into: &actions)
            default: break
            }
            #expect(finished == 0 || actions.isEmpty)
            for action in actions {
                if case .endOutput(let leg) = action { endedOutputs[leg, default: 0] += 1 }
                if case .finish = action { finished += 1 }
            }
            #expect(endedOutputs.values.allSatisfy { $0 == 1 })
            #expect((machine.phase == .finished) == (finished == 1))
        }
    }
}

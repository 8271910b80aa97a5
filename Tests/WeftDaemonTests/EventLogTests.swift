import Testing
import WeftAPI
import WeftCore

@testable import WeftDaemon

@Suite("The log of events")
struct EventLogTests {
    private static func log(_ count: Int) -> EventLog {
        var log = EventLog()
        for number in 1...count {
            log.append(kind: .user, time: WallTime(millisecondsSince1970: 0), node: nil, name: "\(number)")
        }
        return log
    }

    @Test("An answer goes on where the one before it ended")
    func paging() {
        let log = Self.log(700)
        let first = log.answer(after: 0)
        #expect(first.events.map(\.sequence) == Array(1...512) && first.latest == 512 && first.missed == 0)
        let second = log.answer(after: first.latest)
        #expect(second.events.map(\.sequence) == Array(513...700) && second.latest == 700)
        let third = log.answer(after: 700)
        #expect(third.events == [] && third.latest == 700 && third.missed == 0)
    }

    @Test("What was forgotten is counted")
    func missed() {
        let log = Self.log(5000)
        let answer = log.answer(after: 10)
        #expect(answer.events.first?.sequence == UInt64(5000 - EventLog.capacity + 1))
        #expect(answer.missed == UInt64(5000 - EventLog.capacity - 10))
        #expect(log.answer(after: nil).missed == 0)
    }

    @Test("A number from before a restart is told by a smaller one")
    func restarted() {
        let answer = Self.log(3).answer(after: 99)
        #expect(answer.events == [] && answer.latest == 3 && answer.missed == 0)
    }

    @Test("The next event ends the waiting; waiters are bounded, and go when they no longer wait")
    func waiting() async {
        var log = EventLog()
        let waiters = (0..<64).compactMap { _ in log.makeWaiter() }
        #expect(waiters.count == 64)
        #expect(log.makeWaiter() == nil)
        log.removeWaiter(waiters[0].id)
        guard let extra = log.makeWaiter() else {
            Issue.record("the place that became free is not given again")
            return
        }
        log.append(kind: .keys, time: WallTime(millisecondsSince1970: 0), node: "a", payload: [0xff, 0x41])
        // Each of these would never end without the event.
        for (_, signal) in waiters + [extra] { for await _ in signal {} }
        #expect(log.answer(after: nil).events.first?.payload == "\u{fffd}A")
    }
}

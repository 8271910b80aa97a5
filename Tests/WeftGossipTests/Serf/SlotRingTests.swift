import Testing

@testable import WeftGossip

@Suite("Repeated events are told from new ones")
struct SlotRingTests {
    private func admit(
        _ ring: inout SlotRing<Int>,
        _ item: Int,
        _ time: UInt64,
        clock: UInt64? = nil,
        size: Int = 1
    ) -> SlotRing<Int>.Admission {
        ring.admit(item, at: LamportTime(time), clock: LamportTime(clock ?? time + 1), byteCount: size)
    }

    @Test func sameItemAtTheSameTimeIsKnown() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: 1000)
        #expect(admit(&ring, 1, 5) == .new)
        #expect(admit(&ring, 1, 5) == .duplicate)
        #expect(admit(&ring, 2, 5) == .new)
        #expect(admit(&ring, 1, 6) == .new)
    }

    @Test func beyondTheWindowIsTooOld() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: 1000)
        #expect(admit(&ring, 1, 1000) == .new)
        #expect(admit(&ring, 1, 489, clock: 1001) == .new)
        #expect(admit(&ring, 1, 488, clock: 1001) == .tooOld)
        // The same slot of a later round takes the place.
        #expect(admit(&ring, 1, 1001, clock: 1002) == .new)
        #expect(ring.used.count == 2)
    }

    @Test func minimumTimeHolds() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: 1000)
        ring.ignore(before: 10)
        ring.ignore(before: 5)
        #expect(admit(&ring, 1, 9) == .tooOld)
        #expect(admit(&ring, 1, 10) == .new)
    }

    @Test func bytesAreBoundedByForgettingTheOldest() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: 100)
        for time in 1...10 { #expect(admit(&ring, 1, UInt64(time), size: 20) == .new) }
        #expect(ring.used.map { $0.time.value } == [6, 7, 8, 9, 10])
        #expect(admit(&ring, 1, 5) == .tooOld)
    }

    @Test func itemsOfOneTimeAreBounded() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: .max)
        for item in 0..<1024 { #expect(admit(&ring, item, 7) == .new) }
        #expect(admit(&ring, 5000, 7) == .full)
    }

    @Test func theLargestTimeDoesNotOverflow() {
        var ring = SlotRing<Int>(slotCount: 512, byteLimit: 1)
        #expect(admit(&ring, 1, .max - 1, clock: .max, size: 5) == .new)
        #expect(admit(&ring, 1, .max, clock: .max, size: 5) == .new)
    }
}

@Suite("Lamport clocks")
struct LamportClockTests {
    @Test func witnessMovesPastWhatWasSeen() {
        var clock = LamportClock()
        #expect(clock.time == 1)
        clock.witness(0)
        #expect(clock.time == 1)
        clock.witness(1)
        #expect(clock.time == 2)
        clock.witness(41)
        #expect(clock.time == 42)
        clock.advance()
        #expect(clock.time == 43)
        clock.witness(LamportTime(.max))
        clock.advance()
        #expect(clock.time == LamportTime(.max))
    }
}

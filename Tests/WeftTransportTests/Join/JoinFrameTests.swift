import Testing

@testable import WeftTransport

/// Messages of the join service, put together from pieces.
@Suite struct JoinFrameTests {
    private static let grant = JoinFrame.grantLine + [UInt8](repeating: 7, count: JoinFrame.requestBytesMax)

    @Test(arguments: [[1], Array("weft join 1\nabc".utf8), [UInt8](repeating: 9, count: 1000)])
    func anyPiecesMakeTheMessage(_ message: [UInt8]) throws {
        let wire = JoinFrame.encode(message)
        for kind in [JoinFrameReader.Kind.request, .answer] {
            for split in wire.indices {
                var reader = JoinFrameReader(kind)
                #expect(try reader.receive(wire[..<split]) == nil)
                #expect(try reader.receive(wire[split...]) == message)
            }
        }
    }

    @Test func byteByByte() throws {
        let wire = JoinFrame.encode(Self.grant)
        var reader = JoinFrameReader(.request)
        for byte in wire.dropLast() { #expect(try reader.receive([byte]) == nil) }
        #expect(reader.isLong)
        #expect(try reader.receive([wire[wire.count - 1]]) == Self.grant)
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0], .empty), ([0, 0, 0, 1, 5, 5], .trailing), ([0, 1, 0, 1, 0x41], .tooLong(65_537)),
            ([0, 1, 0, 1] + Array("weft join 1\n".utf8), .tooLong(65_537)),
            ([0xff, 0xff, 0xff, 0xff], .tooLong(0xffff_ffff)),
            ([0, 0x80, 0, 1] + JoinFrame.grantLine, .tooLong((8 << 20) + 1)),
        ] as [([UInt8], JoinFrameError)]
    )
    func badRequestsAreRefusedAtOnce(_ bytes: [UInt8], _ error: JoinFrameError) {
        #expect(throws: error) {
            var reader = JoinFrameReader(.request)
            return try reader.receive(bytes)
        }
    }

    @Test func longAnswersAreTaken() throws {
        let answer = [UInt8](repeating: 3, count: JoinFrame.answerBytesMax)
        var reader = JoinFrameReader(.answer)
        #expect(try reader.receive(JoinFrame.encode(answer)) == answer)
        var other = JoinFrameReader(.answer)
        #expect(throws: JoinFrameError.tooLong((8 << 20) + 1)) { try other.receive([0, 0x80, 0, 1]) }
    }

    /// The length alone makes nobody set memory aside or wait for more than the first line.
    @Test func aLongRequestHasToLookLikeAGrantFromItsFirstByte() throws {
        var reader = JoinFrameReader(.request)
        #expect(try reader.receive([0, 0x10, 0, 0] + Array("weft gr".utf8)) == nil)
        #expect(!reader.isLong)
        #expect(throws: JoinFrameError.tooLong(1 << 20)) { try reader.receive(Array("eeting".utf8)) }
    }
}

import NIOCore
import NIOHPACK
import Testing
import WeftProxy

@testable import WeftTransport

/// The parts of an exchange that are values.
@Suite struct HTTP2PartsTests {
    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("application/grpc;charset=utf-8", true),
        ("application/grpc-web", false), ("application/grpc-web+proto", false), ("application/json", false),
        ("", false),
    ])
    func gRPCIsToldByItsContentType(_ type: String, _ isGRPC: Bool) {
        #expect(HTTP2Head.isGRPC(type) == isGRPC)
        let head = HTTP2Head([":method": "POST", ":path": "/s/m?q=1", "content-type": type])
        #expect(head.kind == (isGRPC ? .grpc : .http2) && head.method == .post)
        #expect(String(buffer: head.line) == "POST /s/m?q=1")
    }

    @Test(arguments: RequestMethod.allCases)
    func methodsKeepTheirNames(_ method: RequestMethod) {
        #expect(RequestMethod("\(method)".uppercased()) == method)
        #expect(RequestMethod("\(method)") == .other)
    }

    // MARK: Flows

    private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    /// What is to be written, as its size; nil when nothing is.
    private func size(_ piece: HTTP2Flow.Piece?) -> Int? {
        guard case .data(let bytes, _)? = piece else { return nil }
        return bytes.readableBytes
    }

    private func isNothing(_ piece: HTTP2Flow.Piece?) -> Bool { if case nil = piece { true } else { false } }

    @Test func piecesGoOnAsTheyComeUnlessSmallOnesHaveToWait() {
        var flow = HTTP2Flow(isOpen: true)
        #expect(size(flow.receive(bytes(10), isEnd: false)) == 10)
        // The ten have not left.
        #expect(size(flow.receive(bytes(20), isEnd: false)) == nil)
        #expect(size(flow.receive(bytes(30), isEnd: false)) == nil)
        // Nothing overtakes.
        #expect(size(flow.receive(bytes(5000), isEnd: false)) == nil)
        #expect(flow.isHolding && flow.isWaiting)
        #expect(flow.leave(10) == 10)
        #expect(size(flow.next()) == 5050)
        #expect(size(flow.receive(bytes(2000), isEnd: false)) == 2000)
        #expect(flow.leave(7050) == 7050)
        #expect(!flow.isWaiting && isNothing(flow.next()))
    }

    @Test func heldPiecesGoOnWhenTheyAreManyOrTheLast() {
        var flow = HTTP2Flow(isOpen: true)
        #expect(size(flow.receive(bytes(10), isEnd: false)) == 10)
        for _ in 0..<32 { #expect(size(flow.receive(bytes(500), isEnd: false)) == nil) }
        #expect(size(flow.receive(bytes(500), isEnd: false)) == 16_500)
        #expect(size(flow.receive(bytes(1), isEnd: false)) == nil)
        guard case .data(let last, let isEnd)? = flow.receive(bytes(2), isEnd: true) else {
            Issue.record("the end waits")
            return
        }
        #expect(last.readableBytes == 3 && isEnd && flow.isEndWritten && isNothing(flow.next()))
    }

    @Test func trailersFollowWhatIsHeld() {
        var flow = HTTP2Flow(isOpen: true)
        #expect(size(flow.receive(bytes(10), isEnd: false)) == 10)
        #expect(size(flow.receive(bytes(10), isEnd: false)) == nil)
        flow.receive(trailers: ["a": "b"])
        guard case .data(let held, false)? = flow.next(), held.readableBytes == 10,
            case .trailers(let fields)? = flow.next()
        else {
            Issue.record("not in order")
            return
        }
        #expect(fields == ["a": "b"] && isNothing(flow.next()))
    }

    @Test func aWindowIsGivenBackOnceHoweverOftenItsBytesAreSent() {
        var flow = HTTP2Flow(isOpen: false)
        #expect(size(flow.receive(bytes(3000), isEnd: false)) == nil)
        flow.begin(resending: 0, endsWithHead: false)
        #expect(size(flow.next()) == 3000)
        #expect(flow.leave(2000) == 2000)
        flow.interrupt()
        #expect(size(flow.receive(bytes(500), isEnd: true)) == nil)
        flow.begin(resending: 3000, endsWithHead: false)
        #expect(flow.leave(3000) == 1000)
        #expect(size(flow.next()) == 500)
        #expect(flow.leave(500) == 500)
        #expect(flow.credit == 3500 && flow.takeCredit(from: 1000) == nil)
    }

    @Test func whatIsDroppedIsGivenBack() {
        var flow = HTTP2Flow(isOpen: true)
        #expect(size(flow.receive(bytes(100), isEnd: false)) == 100)
        #expect(size(flow.receive(bytes(50), isEnd: false)) == nil)
        #expect(flow.drop() == 150)
        #expect(size(flow.receive(bytes(70), isEnd: false)) == nil)
        #expect(flow.drop() == 70 && flow.leave(100) == 0 && isNothing(flow.next()))
        #expect(flow.takeCredit(from: 221) == nil && flow.takeCredit(from: 220) == 220)
        #expect(flow.takeCredit(from: 1) == nil)
    }
}

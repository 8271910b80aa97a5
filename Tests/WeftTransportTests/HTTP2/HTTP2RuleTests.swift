import NIOHTTP2
import Synchronization
import Testing
import WeftCore

@testable import WeftTransport

/// The rules of RFC 9113 one by one, over a real socket: what breaks the connection, what ends a stream, what is fine.
@Suite(.blocking) struct HTTP2RuleTests {
    fileprivate static let marker: [UInt8] = [9, 1, 1, 3, 0, 0, 0, 1]

    /// What came back, up to the answer to a PING behind everything or to the end.
    fileprivate struct Reply {
        var resets: [UInt32] = []
        var farewell: UInt32?
        var hasEnded = false
        var isAnswered = false
    }

    @Test func everyRuleIsKept() async throws {
        try await HTTP2Rig.withService { rig in
            for rule in HTTP2Rule.all {
                let reply = try exchange(rule.frames.flatMap(\.wire), at: rig.entry)
                let holds =
                    switch rule.outcome {
                    case .fine: reply.isAnswered && reply.resets.isEmpty && reply.farewell == nil
                    case .connection(let codes): reply.isOver(with: codes)
                    case .stream(let codes):
                        reply.resets.contains(where: codes.contains) && reply.isAnswered || reply.isOver(with: codes)
                    }
                #expect(holds, "\(rule.section): \(rule.what): \(reply)")
            }
            // Nothing wrong has reached the application: its peers' library would have ended the connection.
            #expect(
                rig.servers[0].peers.allSatisfy {
                    $0.state.withLock { $0.farewells.allSatisfy { $0.code == .noError } }
                }
            )
        }
    }

    /// RFC 9113, section 3.4.
    @Test func settingsComeFirst() async throws {
        try await HTTP2Rig.withService { rig in
            let reply = try exchange(RawFrame.head().wire, settings: [], at: rig.entry)
            #expect(reply.farewell == 1, "\(reply)")
        }
    }

    private func exchange(
        _ bytes: [UInt8],
        settings: [UInt8] = RawFrame.settings().wire,
        at entry: NetworkAddress
    ) throws -> Reply {
        let socket = try TestSocket.connected(to: entry)
        try socket.write(RawPeer.preface + settings + bytes + RawFrame(kind: .ping, payload: Self.marker).wire)
        var reply = Reply()
        var pending: [UInt8] = []
        while !reply.isAnswered, reply.farewell == nil, !reply.hasEnded {
            switch socket.read() {
            case .bytes(let bytes): pending += bytes
            case .end, .reset: reply.hasEnded = true
            case .timeout: throw TestError("nothing for 10 s after \(reply)")
            }
            while let frame = takeFrame(&pending) { reply.add(frame) }
        }
        return reply
    }

    private func takeFrame(_ bytes: inout [UInt8]) -> [UInt8]? {
        guard bytes.count >= 9 else { return nil }
        let end = 9 + (Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2]))
        guard bytes.count >= end else { return nil }
        defer { bytes.removeFirst(end) }
        return Array(bytes[..<end])
    }
}

extension HTTP2RuleTests.Reply {
    fileprivate func isOver(with codes: [UInt32]) -> Bool { farewell.map(codes.contains) ?? hasEnded }

    fileprivate mutating func add(_ frame: [UInt8]) {
        func number(at index: Int) -> UInt32 { frame[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        switch RawFrame.Kind(rawValue: frame[3]) {
        case .reset: resets.append(number(at: 9))
        case .goAway: farewell = number(at: 13)
        case .ping: if frame[4] == 1, Array(frame[9...]) == HTTP2RuleTests.marker { isAnswered = true }
        default: break
        }
    }
}

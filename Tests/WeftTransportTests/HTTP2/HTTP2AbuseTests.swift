import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing
import WeftCore
import WeftProxy
import WeftTransport

/// Clients that break the rules, and how far that goes.
@Suite(.blocking, .serialized) struct HTTP2AbuseTests {
    enum Malformed: String, CaseIterable {
        case connectionField, transferEncoding, upgradeField, otherTE, capitalName, noPath, noMethod, unknownPseudo
        case pseudoBehindField, twoPaths, emptyPath, lengthTooSmall, newlineInValue

        var fields: [(String, String)] {
            switch self {
            case .connectionField: .post("/", [("connection", "close")])
            case .transferEncoding: .post("/", [("transfer-encoding", "chunked")])
            case .upgradeField: .post("/", [("upgrade", "websocket")])
            case .otherTE: .post("/", [("te", "gzip")])
            case .capitalName: .post("/", [("X-Odd", "1")])
            case .noPath: [(":method", "GET"), (":scheme", "http"), (":authority", "a")]
            case .noMethod: [(":path", "/"), (":scheme", "http"), (":authority", "a")]
            case .unknownPseudo: [(":odd", "1")] + .post("/")
            case .pseudoBehindField: [(":method", "GET"), ("x", "y"), (":scheme", "http"), (":path", "/")]
            case .twoPaths: [(":path", "/b")] + .post("/")
            case .emptyPath: .post("")
            case .lengthTooSmall: .post("/", [("content-length", "1")])
            case .newlineInValue: .post("/", [("x", "a\r\nb: c")])
            }
        }
    }

    /// What a slow machine, too, takes within the time that it is counted for.
    private let slowSettings: DataPlaneSettings = {
        var settings = CarryTests.settings()
        settings.http2Floods.earlyResetsMax = 200
        settings.http2Floods.controlFrameWindow = .seconds(60)
        return settings
    }()

    /// RFC 9113, section 8.1.1: a stream error, and nothing of it reaches the application.
    @Test(arguments: Malformed.allCases)
    func aMalformedRequestIsReset(_ kind: Malformed) async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(kind.fields)
            if kind == .lengthTooSmall { try await call.data("too long", end: true) }
            #expect(try await call.resetCode() == .protocolError)
            let next = try await client.open(.get("/next"), end: true)
            let served = try await soon("the next") {
                rig.servers[0].takeCall().flatMap { $0.now.heads.first?[":path"] == "/next" ? $0 : nil }
            }
            try await served.answer("next")
            #expect(try await next.text() == "next")
        }
    }

    @Test func aServerThatBreaksTheRulesIsReset() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.post("/"), end: true)
            let served = try await rig.call().call
            try await served.headers([(":status", "200"), ("connection", "close")])
            #expect(try await call.resetCode() == .protocolError)
            #expect(try await served.resetCode() == .protocolError)
        }
    }

    @Test func requestsThatAreResetAtOnceEndTheConnection() async throws {
        try await HTTP2Rig.withService(slowSettings) { rig in
            let client = try await rig.client()
            for _ in 0..<6 where client.isUnharmed { client.openAndReset(.get("/"), times: 100) }
            #expect(try await client.farewell().code == .enhanceYourCalm)
            try await client.closed()
        }
    }

    @Test(arguments: ["pings", "settings", "updates", "empty data"])
    func whatCostsNothingIsLimited(_ kind: String) async throws {
        try await HTTP2Rig.withService(slowSettings) { rig in
            let client = try await rig.client()
            let call = try await client.open(.post("/"))
            for _ in 0..<40 where client.isUnharmed {
                // Many at a time: some are limited by their rate.
                switch kind {
                case "pings": client.sendNow(.rootStream, .ping(HTTP2PingData(withInteger: 1), ack: false), times: 500)
                case "settings": client.sendNow(.rootStream, .settings(.settings([])), times: 500)
                case "updates": client.sendNow(call.id, .windowUpdate(windowSizeIncrement: 1), times: 500)
                default: client.sendNow(call.id, .data(.init(data: .byteBuffer(ByteBuffer()))), times: 500)
                }
            }
            #expect(try await client.farewell().code == .enhanceYourCalm)
            try await client.closed()
            // Others are served.
            let other = try await rig.client().open(.get("/other"), end: true)
            let served = try await soon("the other") {
                rig.servers[0].takeCall().flatMap { $0.now.heads.first?[":path"] == "/other" ? $0 : nil }
            }
            try await served.answer("x")
            #expect(try await other.text() == "x")
        }
    }

    /// What a server sends waits for its client, at most one window of it.
    @Test func whatASlowReaderIsSentIsBounded() async throws {
        try await HTTP2Rig.withService { rig in
            let client = try await rig.client()
            let call = try await client.open(.get("/"), end: true)
            call.stopReading()
            let served = try await rig.call().call
            try await served.headers([(":status", "200")])
            let pouring = Task { try await served.pour(20_000_000) }
            _ = try await call.bytes(atLeast: 65_535)
            var last = 0
            try await soonTrue {
                let now = served.sent
                defer { last = now }
                try await Task.sleep(for: .milliseconds(50))
                // In pieces of 50,000.
                return now == last && now >= 1_000_000
            }
            // The stream's window at weft, and the client's own.
            #expect(served.sent <= (1 << 20) + 65_535)
            try await call.reset(.cancel)
            #expect(try await served.resetCode() == .cancel)
            _ = await pouring.result
        }
    }
}

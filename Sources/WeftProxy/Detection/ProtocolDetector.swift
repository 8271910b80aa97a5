package import WeftCore

/// What a connection speaks, told from its first bytes (design, section 2: detect).
///
/// The upstream is dialled meanwhile, and nothing is taken from the bytes: whoever comes next gets all of them. Which
/// side speaks first decides: a server that greets is opaque at once, so its clients wait for nothing. Otherwise the
/// client's bytes are looked at until they tell, or `bytesMax` of them or `waitMax` have not told. A TLS hello is awaited
/// beyond `bytesMax`, as it says itself how long it is: up to 16 KiB and 5 bytes.
///
/// What resembles HTTP/1 is HTTP/1, broken or not: the scanner refuses what it must. But who wants to can look opaque,
/// by waiting if by nothing else: a rule about requests holds only if it refuses what is opaque.
///
/// Where the protocol is declared or was learned, nobody waits for more bytes than it takes to tell HTTP/1 from HTTP/2. Runs on the connection's event loop; the shell calls `timeExpired` at
/// `deadline`.
package struct ProtocolDetector: Sendable {
    /// Bytes after which what has not told its protocol is opaque.
    package static let bytesMax = 1024
    /// How long a client may leave open what it speaks; one that says nothing is served from then on.
    package static let waitMax = Duration.seconds(1)

    private let start: Instant
    private let knowledge: ProtocolKnowledge?
    private var result: Detection?
    private var line = RequestLineGuess()

    package init(start: Instant, knowing knowledge: ProtocolKnowledge? = nil) {
        self.start = start
        self.knowledge = knowledge
    }

    package var deadline: Instant { start + Self.waitMax }

    /// Bytes came from the client: `bytes` is all that it has sent. The result, once there is one; then it stays.
    package mutating func clientReceived(_ bytes: RawSpan, now: Instant) -> Detection? {
        guard result == nil else { return result }
        let guess = guess(bytes)
        if bytes.byteCount > 0, let (found, reason) = known(guess, bytes) { return decide(found, reason, now) }
        switch guess {
        case .is(let found): return decide(found, .bytes, now)
        case .open where bytes.byteCount >= Self.bytesMax: return decide(likely(guess), .limit, now)
        case .open, .openPreface, .openHello: return now < deadline ? nil : decide(likely(guess), .time, now)
        }
    }

    /// The server spoke, and nothing has been decided: what it says comes before anything that the client said.
    package mutating func serverReceived(now: Instant) -> Detection { decide(.opaque, .serverFirst, now) }

    /// A side ended or the upstream failed: no more bytes come that could tell.
    package mutating func ended(_ bytes: RawSpan, now: Instant) -> Detection { settle(bytes, .ended, now) }

    /// `deadline` has come.
    package mutating func timeExpired(_ bytes: RawSpan, now: Instant) -> Detection { settle(bytes, .time, now) }

    private mutating func settle(_ bytes: RawSpan, _ reason: Detection.Reason, _ now: Instant) -> Detection {
        if let found = clientReceived(bytes, now: now) { return found }
        return decide(likely(guess(bytes)), reason, now)
    }

    /// What it is if no more bytes come.
    private func likely(_ guess: Guess) -> WireProtocol {
        switch guess {
        case .is(let found): found
        case .open: line.likely
        case .openPreface: .http2
        case .openHello: .tls(serverName: nil)
        }
    }

    private mutating func decide(_ found: WireProtocol, _ reason: Detection.Reason, _ now: Instant) -> Detection {
        let detection = result ?? Detection(found, by: reason, after: now - start)
        result = detection
        return detection
    }

    /// What is known before, where the bytes alone do not tell or tell something else; nil for what they tell.
    private func known(_ guess: Guess, _ bytes: RawSpan) -> (WireProtocol, Detection.Reason)? {
        switch (knowledge, guess) {
        case (nil, _): nil
        case (.declared(.tcp), _): (.opaque, .declared)
        case (.declared(.tls), .is(.tls)), (.declared, .openHello): nil
        case (.declared, .open) where bytes[0] == ClientHello.handshake: nil
        case (.declared(.tls), _): (.opaque, .declared)
        case (.declared(.http), .open) where Self.preface(bytes) == nil: nil
        case (.declared(.http), .open), (.declared(.http), .is(.opaque)): (.http1, .declared)
        case (.declared(.http), _): nil
        case (.learned, .open): (likely(guess), .learned)
        case (.learned, _): nil
        }
    }

    // MARK: - Guessing

    private enum Guess {
        case `is`(WireProtocol)
        /// More bytes may tell.
        case open
        /// Nothing but HTTP/2 begins so; more bytes may show that it is broken.
        case openPreface
        /// TLS; more bytes may tell the name.
        case openHello
    }

    private mutating func guess(_ bytes: RawSpan) -> Guess {
        guard bytes.byteCount > 0 else { return .open }
        if bytes[0] == ClientHello.handshake { return guessHello(bytes) }
        switch Self.preface(bytes) {
        case .some(true): return .is(.http2)
        case .none: return bytes.byteCount < Self.prefaceSure ? .open : .openPreface
        case .some(false): break
        }
        switch line.advance(bytes) {
        case .some(let isHTTP): return .is(isHTTP ? .http1 : .opaque)
        case .none: return .open
        }
    }

    /// A hello is waited for as a whole, as the server says nothing before it has it.
    private func guessHello(_ bytes: RawSpan) -> Guess {
        switch ClientHello(bytes) {
        case .partial where bytes.byteCount >= ClientHello.headerSize: .openHello
        case .partial: .open
        case .other: .is(.opaque)
        case .complete(let name): .is(.tls(serverName: name))
        }
    }

    /// Bytes of the preface that no request line of HTTP/1 begins with: `PRI * H`.
    private static let prefaceSure = 7

    /// Whether the bytes begin with HTTP/2's preface (RFC 9113, section 3.4); nil while they are a part of it.
    private static func preface(_ bytes: RawSpan) -> Bool? {
        let expected: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let count = min(expected.utf8CodeUnitCount, bytes.byteCount)
        for offset in 0..<count where bytes[offset] != expected.utf8Start[offset] { return false }
        return count == expected.utf8CodeUnitCount ? true : nil
    }
}

/// What is spoken on a connection.
package enum WireProtocol: Sendable, Hashable {
    case http1
    /// With prior knowledge.
    case http2
    /// TLS 1.0 to 1.3, with the name that the client asks for (RFC 6066, section 3).
    case tls(serverName: String?)
    case opaque
}

/// A finished detection, for the record.
package struct Detection: Sendable, Hashable {
    /// What decided.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case bytes
        case serverFirst = "server-first"
        /// `bytesMax` came and did not tell.
        case limit
        case time
        /// A side ended before the bytes told.
        case ended
        /// The service's owner has said so.
        case declared
        /// As it always was here.
        case learned
    }

    package let found: WireProtocol
    package let reason: Reason
    /// From the connection's start.
    package let elapsed: Duration

    package init(_ found: WireProtocol, by reason: Reason, after elapsed: Duration) {
        (self.found, self.reason, self.elapsed) = (found, reason, elapsed)
    }
}

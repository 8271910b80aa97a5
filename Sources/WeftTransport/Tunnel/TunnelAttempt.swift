internal import NIOCore
internal import NIOHPACK
package import WeftCore

/// Which tunnels can stand in for each other: the same caller, the same callee, the same node.
package struct TunnelKey: Hashable, Sendable {
    /// Whose certificate is shown.
    package let source: SpiffeID
    /// Who the peer has to be.
    package let destination: SpiffeID
    /// Where the node listens for tunnels.
    package let node: NetworkAddress

    package init(source: SpiffeID, destination: SpiffeID, node: NetworkAddress) {
        self.source = source
        self.destination = destination
        self.node = node
    }
}

/// One CONNECT, from the wish to the answer: it waits for a tunnel, asks, and is asked once more elsewhere if the first
/// peer did not look at it. What its client has said by then may go with it (`send(early:)`): a peer that has not looked
/// at the CONNECT has passed nothing of that on either, so that asking again is always safe.
final class TunnelAttempt {
    typealias Completion = (Result<TunnelStream, TunnelFailure>) -> Void

    /// Bytes that may go with a CONNECT; more of them wait for its answer. Within what HTTP/2 lets anybody send
    /// unasked (RFC 9113, section 6.9.2), and so never behind a window.
    static let earlyMax = 16 * 1024

    let key: TunnelKey
    let headers: HPACKHeaders
    let side: RelaySide
    let since: Instant
    /// The tunnel that did not serve this attempt; it is not asked again.
    private(set) var avoided: TunnelConnection?
    /// The client's first bytes, and whether a peer has them that may have looked at them.
    private var early = ByteBuffer()
    private(set) var hasSentEarly = false
    private var pool: TunnelPool?
    private var completion: Completion?
    /// The one that asks now. It knows this attempt too, until it is answered or ends: whoever ends first lets go.
    private var stream: TunnelStream?

    init(
        _ authority: TunnelAuthority,
        along key: TunnelKey,
        side: RelaySide,
        headers: [(String, String)],
        since: Instant,
        pool: TunnelPool,
        completion: @escaping Completion
    ) {
        self.key = key
        self.side = side
        self.headers = HPACKHeaders([(":method", "CONNECT"), (":authority", "\(authority)")] + headers)
        self.since = since
        self.pool = pool
        self.completion = completion
    }

    /// The client has gone: no completion comes any more.
    func cancel() {
        let stream = self.stream
        guard let pool = end()?.pool else { return }
        pool.forget(self)
        stream?.abandon()
    }

    /// Whether somebody still waits for this.
    var isWanted: Bool { completion != nil }

    /// Asks on a tunnel that has room.
    func ask(on tunnel: TunnelConnection) {
        tunnel.open(headers) { id in
            let stream = TunnelStream(id: id, side: side, on: tunnel, opening: .requested(self))
            self.stream = stream
            return stream
        }
        sendEarly()
    }

    /// Lets the client's first bytes go with the CONNECT, so that they do not wait for its answer: a round trip less for
    /// whoever speaks first. The stream says how many of them it has taken (`RelayLeg.earlyCount`).
    func send(early bytes: ByteBuffer) {
        guard isWanted, early.readableBytes == 0, 1...Self.earlyMax ~= bytes.readableBytes else { return }
        early = bytes
        sendEarly()
    }

    private func sendEarly() {
        guard early.readableBytes > 0, let stream else { return }
        hasSentEarly = true
        stream.writeEarly(early)
    }

    func succeeded(_ stream: TunnelStream) {
        guard let (pool, completion) = end() else { return }
        pool.progressed(self)
        completion(.success(stream))
    }

    func failed(_ failure: TunnelFailure) {
        guard let (pool, completion) = end() else { return }
        pool.count(failure)
        completion(.failure(failure))
    }

    /// The peer was full or leaving: once more, on another tunnel.
    func notServed(on tunnel: TunnelConnection) {
        stream = nil
        hasSentEarly = false
        guard avoided == nil, let pool else { return failed(.notServed) }
        avoided = tunnel
        pool.retry(self)
    }

    private func end() -> (pool: TunnelPool, completion: Completion)? {
        guard let pool, let completion else { return nil }
        self.pool = nil
        self.completion = nil
        self.stream = nil
        return (pool, completion)
    }
}

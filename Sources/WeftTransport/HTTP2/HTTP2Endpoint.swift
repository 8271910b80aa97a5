internal import NIOCore
internal import WeftCore

/// The connections of a session to one endpoint, and the requests that wait for one.
///
/// One connection is dialled at a time, and another when all are full: a server that takes few streams on each must not
/// keep long conversations waiting for each other. There are as many waiting requests as streams of the client at most.
final class HTTP2Endpoint {
    let route: Route
    private(set) var sides: [HTTP2Side] = []
    private var waiting = CircularBuffer<HTTP2Exchange>()
    /// What its last SETTINGS said, for connections that have not heard theirs.
    var streamsMax = HTTP2Limits.streamsUnknown
    /// The wait for one more connection; the first may be the connection's own.
    var isDialling = false
    var dial: Dial?

    init(_ route: Route) { self.route = route }

    /// Whether one more connection is wanted, and may be made.
    var wantsDial: Bool {
        !isDialling && sides.count < HTTP2Limits.upstreamsMax && sides.allSatisfy(\.isSettled) && isAwaited
    }

    var isUnused: Bool { !isDialling && sides.isEmpty && !isAwaited }

    private var isAwaited: Bool { waiting.contains { $0.awaited === self } }

    func place(_ exchange: HTTP2Exchange) {
        // Those who went stay in the queue until it is their turn, unless they become many.
        if waiting.count >= 2 * HTTP2Limits.streamsAccepted { waiting.removeAll { $0.awaited !== self } }
        exchange.awaited = self
        waiting.append(exchange)
        serve()
    }

    func add(_ side: HTTP2Side) {
        sides.append(side)
        serve()
    }

    func remove(_ side: HTTP2Side) { sides.removeAll { $0 === side } }

    /// Gives streams to those who wait, as far as there is room.
    func serve() {
        while let side = sides.first(where: \.hasRoom), let exchange = waiting.popFirst() {
            // It may have gone, or tried elsewhere.
            if exchange.awaited === self { exchange.open(on: side) }
        }
    }

    /// The endpoint was not reached. Those who will get a stream of another connection wait on.
    func takeWaiting() -> [HTTP2Exchange] {
        guard sides.allSatisfy(\.isRetired) else { return [] }
        defer { waiting.removeAll() }
        return waiting.filter { $0.awaited === self }
    }
}

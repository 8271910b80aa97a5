internal import Logging
internal import NIOCore
internal import WeftCore
internal import WeftIdentity
internal import WeftProxy

/// One way from a connection to one endpoint, from the wish to the answer: a socket that is dialled (`+Socket`), or a
/// stream that is opened in a tunnel (`+Tunnel`). Lives on the connection's loop.
final class Dial {
    typealias Completion = (Result<Reached, Refusal>) -> Void

    /// An endpoint that answered.
    struct Reached {
        let leg: any RelayLeg
        let security: Security
        /// Whom the other host took the caller for; nil where no certificate was shown.
        var source: SpiffeID?
        /// Why it came in clear where a tunnel was wanted.
        var detail: String?
    }

    let route: Route
    let loop: DataLoop
    let settings: DataPlaneSettings
    let client: ClientAddress?
    /// Nil when it is over.
    private var completion: Completion?
    /// The socket; idle when the way is a tunnel.
    let socket = Leg(.destination)
    var attempt: TunnelAttempt?
    /// What the client has said already.
    private(set) var early = ByteBuffer()
    var patience: Scheduled<Void>?
    /// Why this is not the way that was wanted.
    var detail: String?

    init(along route: Route, for connection: Connection, then completion: @escaping Completion) {
        self.route = route
        self.loop = connection.loop
        self.settings = connection.settings
        self.client = connection.flow?.client
        self.completion = completion
    }

    /// Calls back when it has ended, at once if it can. `way` is not a refusal.
    func begin(_ way: Connection.Way) {
        switch way {
        case .dial: connect()
        case .tunnel(let tunnel): open(tunnel)
        case .refuse(let refusal): end(.failure(refusal))
        }
    }

    /// Lets the client's first bytes go ahead of the answer, where the way can do that. Whoever gets the leg still writes
    /// all of them but `earlyCount`.
    func send(early bytes: ByteBuffer) {
        early = bytes
        attempt?.send(early: bytes)
    }

    /// Nobody waits any more.
    func cancel() {
        guard completion != nil else { return }
        completion = nil
        stopWaiting()
        socket.close()
    }

    var isWanted: Bool { completion != nil }

    func end(_ result: Result<Reached, Refusal>) {
        guard let completion else {
            // Reached too late.
            if case .success(let reached) = result { reached.leg.close() }
            return
        }
        self.completion = nil
        stopWaiting()
        completion(result)
    }

    private func stopWaiting() {
        attempt?.cancel()
        attempt = nil
        patience?.cancel()
        patience = nil
    }
}

internal import NIOCore
internal import NIOSSL
internal import Synchronization
package import WeftCore
internal import WeftIdentity

/// Whoever knows the meaning of requests. An empty answer ends the connection without one.
package typealias JoinService = @Sendable (_ request: [UInt8], _ from: NetworkAddress) async -> [UInt8]

/// What strangers may take of a host through its join service. Tests change the numbers.
package struct JoinLimits: Sendable {
    /// Exchanges at a time, and of those the ones with one address.
    package var exchangesMax = 64
    package var exchangesPerAddressMax = 16
    /// Of all exchanges, those with a request that may take megabytes.
    package var longMax = 2
    /// For everything, from the channel's adoption on.
    package var timeout = Duration.seconds(10)

    package init() {}
}

/// Answers hosts that want to join, to renew, or to look: the service behind the join name on the tunnel port.
///
/// Takes channels on any event loop; each exchange stays on its own. Bounded in number, size and time, as anybody who
/// reaches the port can talk to it.
package final class JoinServer: Sendable {
    let limits: JoinLimits
    private let service: JoinService
    private let state = Mutex(State())

    private struct State {
        var exchanges: [IPAddress: Int] = [:]
        var long = 0
        var counters = JoinServerCounters()

        var count: Int { exchanges.values.reduce(0, +) }
    }

    package init(limits: JoinLimits = JoinLimits(), service: @escaping JoinService) {
        self.limits = limits
        self.service = service
    }

    package var counters: JoinServerCounters { state.withLock { $0.counters } }

    /// Takes over an accepted channel whose first bytes, TLS's greeting, have not been read; called on its loop.
    ///
    /// - Parameter context: `IdentitySnapshot.joinServerContext()`, made for this channel.
    /// - Throws: when there are too many exchanges, or the channel has closed; it is closed then.
    func adopt(_ channel: any Channel, context: NIOSSLContext) throws {
        do {
            guard let remote = channel.remoteAddress.flatMap(NetworkAddress.init) else {
                throw ChannelError.ioOnClosedChannel
            }
            guard let place = enter(remote.ip) else { throw JoinServerBusy() }
            let exchange = JoinExchange(with: remote, place: place, server: self)
            try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), exchange])
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    func answer(_ request: [UInt8], from remote: NetworkAddress) async -> [UInt8] { await service(request, remote) }

    // MARK: Places

    /// Nil when all are taken.
    private func enter(_ ip: IPAddress) -> JoinPlace? {
        let isFree = state.withLock { state in
            guard state.count < limits.exchangesMax, state.exchanges[ip, default: 0] < limits.exchangesPerAddressMax
            else {
                state.counters.turnedAway += 1
                return false
            }
            state.exchanges[ip, default: 0] += 1
            state.counters.exchanges += 1
            return true
        }
        return isFree ? JoinPlace(ip, self) : nil
    }

    fileprivate func leave(_ ip: IPAddress, wasLong: Bool) {
        state.withLock { state in
            let left = state.exchanges[ip, default: 1] - 1
            state.exchanges[ip] = left > 0 ? left : nil
            if wasLong { state.long -= 1 }
        }
    }

    fileprivate func takeLong() -> Bool {
        state.withLock { state in
            guard state.long < limits.longMax else { return false }
            state.long += 1
            return true
        }
    }

    func count(_ failure: JoinExchange.Failure) {
        state.withLock { $0.counters.failures[failure.rawValue, default: 0] += 1 }
    }

    func countAnswer() { state.withLock { $0.counters.answers += 1 } }
}

/// One exchange's share of what there is; given back when the last that holds it lets go, be it the connection or the
/// service that still works on the answer.
final class JoinPlace: Sendable {
    private let ip: IPAddress
    private let server: JoinServer
    private let isLong = Mutex(false)

    fileprivate init(_ ip: IPAddress, _ server: JoinServer) {
        self.ip = ip
        self.server = server
    }

    deinit { server.leave(ip, wasLong: isLong.withLock { $0 }) }

    /// Whether the exchange may hold a long request.
    func takeLong() -> Bool {
        isLong.withLock { isLong in
            if !isLong { isLong = server.takeLong() }
            return isLong
        }
    }
}

/// There are too many exchanges at once.
struct JoinServerBusy: Error {}

/// What a join service has done since it was made.
package struct JoinServerCounters: Sendable, Equatable {
    /// Connections that were let in, and those that found no place.
    package var exchanges: UInt64 = 0
    package var turnedAway: UInt64 = 0
    package var answers: UInt64 = 0
    /// Exchanges without an answer, by reason.
    package var failures: [String: UInt64] = [:]
}

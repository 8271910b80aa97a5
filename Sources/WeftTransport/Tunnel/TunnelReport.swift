/// The tunnels of this host in numbers, over all loops.
package struct TunnelReport: Sendable, Equatable {
    package var outbound = TunnelCounters()
    package var inbound = TunnelServerCounters()
    package var outboundTunnels = 0
    package var outboundStreams = 0
    package var inboundTunnels = 0
    package var inboundStreams = 0

    package init() {}

    init(
        outbound: TunnelCounters,
        inbound: TunnelServerCounters,
        outboundLoad: (tunnels: Int, streams: Int),
        inboundLoad: (tunnels: Int, streams: Int)
    ) {
        self.outbound = outbound
        self.inbound = inbound
        (outboundTunnels, outboundStreams) = outboundLoad
        (inboundTunnels, inboundStreams) = inboundLoad
    }

    /// Adds another loop's numbers to these.
    mutating func merge(_ other: TunnelReport) {
        outbound.merge(other.outbound)
        inbound.merge(other.inbound)
        outboundTunnels += other.outboundTunnels
        outboundStreams += other.outboundStreams
        inboundTunnels += other.inboundTunnels
        inboundStreams += other.inboundStreams
    }
}

extension TunnelCounters {
    fileprivate mutating func merge(_ other: TunnelCounters) {
        opens += other.opens
        hits += other.hits
        dials += other.dials
        handshakes += other.handshakes
        retries += other.retries
        failures.merge(other.failures, uniquingKeysWith: +)
    }
}

extension TunnelServerCounters {
    fileprivate mutating func merge(_ other: TunnelServerCounters) {
        accepted += other.accepted
        handshakes += other.handshakes
        streams += other.streams
        refusals.merge(other.refusals, uniquingKeysWith: +)
        failures.merge(other.failures, uniquingKeysWith: +)
    }
}

/// What happens to a datagram between two hosts.
package struct LinkConditions: Sendable, Equatable {
    /// The share of packets that is lost, 0 to 1.
    package var loss: Double
    /// Every packet takes this long, plus a random part of `jitter`; packets may overtake each other within it.
    package var delay: Duration
    package var jitter: Duration
    /// The share of packets that arrives twice.
    package var duplication: Double
    /// The share of packets that is held back for up to `holdback`, so that later ones overtake them.
    package var reordering: Double
    package var holdback: Duration

    /// A network without faults: by default a data centre's, 0.3 to 1 ms one way.
    package init(
        loss: Double = 0,
        delay: Duration = .microseconds(300),
        jitter: Duration = .microseconds(700),
        duplication: Double = 0,
        reordering: Double = 0,
        holdback: Duration = .milliseconds(100)
    ) {
        self.loss = loss
        self.delay = delay
        self.jitter = jitter
        self.duplication = duplication
        self.reordering = reordering
        self.holdback = holdback
    }
}

/// What happens to streams beyond what the packets under them suffer: shares from 0 to 1 of the streams dialled.
package struct StreamConditions: Sendable, Equatable {
    /// Refused at once, as by a firewall that rejects.
    package var refused: Double
    /// Never answered, as by a firewall that drops.
    package var swallowed: Double
    /// Accepted, and reset before the message is complete.
    package var broken: Double
    /// Accepted, and then nothing comes.
    package var stalled: Double

    package init(refused: Double = 0, swallowed: Double = 0, broken: Double = 0, stalled: Double = 0) {
        self.refused = refused
        self.swallowed = swallowed
        self.broken = broken
        self.stalled = stalled
    }
}

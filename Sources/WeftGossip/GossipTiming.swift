/// The intervals and factors of the failure detector, of gossip and of Serf's housekeeping (section 7).
package struct GossipTiming: Sendable, Equatable {
    /// One member is probed per interval, stretched by the health score (1 + score). LAN 1 s. Shorter finds a dead node
    /// sooner, and costs proportionally more datagrams: detection takes about interval + suspicion timeout.
    package var probeInterval: Duration = .seconds(1)
    /// How long a ping may stay unanswered before others are asked. LAN 500 ms; should be above the 99th percentile of
    /// round trips. Never stretched by health: waiting longer does not help a lost datagram.
    package var probeTimeout: Duration = .milliseconds(500)
    /// How many random members are asked to ping for us. LAN 3. More gives fewer false suspicions on a lossy network.
    package var indirectChecks: Int = 3
    /// Suspicion lasts at least mult x max(1, log10 n) x probeInterval. LAN 4. More time to refute, later detection.
    package var suspicionMult: Int = 4
    /// Suspicion lasts at most this many times the minimum, when nobody confirms it. LAN 6.
    package var suspicionMaxTimeoutMult: Int = 6
    /// The health score runs from 0 to this minus 1. LAN 8: a sick node probes up to 8 times slower.
    package var awarenessMax: Int = 8
    /// How often queued news is sent. LAN 200 ms. Nothing is sent, and no timer runs, when there is no news.
    package var gossipInterval: Duration = .milliseconds(200)
    /// To how many random members news is sent each time. LAN 3.
    package var gossipNodes: Int = 3
    /// Each piece of news is sent mult x ceil(log10(n + 1)) times. LAN 4.
    package var retransmitMult: Int = 4
    /// Dead members are still gossiped to for this long, so that they can refute, and then forgotten by the failure
    /// detector (Serf keeps them as failed). LAN 30 s.
    package var gossipToTheDead: Duration = .seconds(30)
    /// A name that has been dead for longer than this may come back with another address; zero means never. LAN 0.
    package var deadNodeReclaim: Duration = .zero
    /// Full state is exchanged with one random member this often, scaled by the pool's size: x 1 up to 32 nodes, then
    /// ceil(log2 n - 5) + 1. LAN 30 s. Repairs what gossip lost; costs about 90 bytes per member each time.
    package var pushPullInterval: Duration = .seconds(30)
    /// Bounds dialling and each exchange over TCP. LAN 10 s.
    package var streamTimeout: Duration = .seconds(10)

    /// Bounds how long a leave waits for its broadcasts. 5 s.
    package var broadcastTimeout: Duration = .seconds(5)
    /// How long a leaving node goes on answering after its last broadcast. 1 s.
    package var leavePropagateDelay: Duration = .seconds(1)
    /// How often failed and left members are looked through. 15 s.
    package var reapInterval: Duration = .seconds(15)
    /// How long an intent about an unknown member is remembered. 5 min.
    package var recentIntentTimeout: Duration = .seconds(300)
    /// How often a failed member is dialled: one at random, with probability failed / alive. 30 s.
    package var reconnectInterval: Duration = .seconds(30)
    /// How long a failed member is kept and dialled. 24 h.
    package var reconnectTimeout: Duration = .seconds(24 * 3600)
    /// How long a left member is remembered. 24 h.
    package var tombstoneTimeout: Duration = .seconds(24 * 3600)
    /// How often the Serf queues are cut to their limit. 30 s.
    package var queueCheckInterval: Duration = .seconds(30)
    /// A query runs for gossipInterval x mult x ceil(log10(n + 1)) unless told otherwise. 16 (3.2 s below 10 nodes).
    package var queryTimeoutMult: Int = 16
    /// How often a seed address that no live member has is dialled again, so that a partition that outlived every other
    /// memory of the far side still heals; zero turns it off. 60 s. Stock agents do not do this.
    package var seedInterval: Duration = .seconds(60)

    /// All values of the LAN profile.
    package init() {}

    /// For nodes in one data centre: the stock agent's default.
    package static let lan = GossipTiming()

    /// For nodes across the internet: slower and more patient.
    package static let wan: GossipTiming = {
        var timing = GossipTiming()
        timing.probeInterval = .seconds(5)
        timing.probeTimeout = .seconds(3)
        timing.suspicionMult = 6
        timing.gossipInterval = .milliseconds(500)
        timing.gossipNodes = 4
        timing.gossipToTheDead = .seconds(60)
        timing.pushPullInterval = .seconds(60)
        timing.streamTimeout = .seconds(30)
        return timing
    }()

    /// For nodes on one machine.
    package static let local: GossipTiming = {
        var timing = GossipTiming()
        timing.probeTimeout = .milliseconds(200)
        timing.indirectChecks = 1
        timing.suspicionMult = 3
        timing.gossipInterval = .milliseconds(100)
        timing.retransmitMult = 2
        timing.gossipToTheDead = .seconds(15)
        timing.pushPullInterval = .seconds(15)
        timing.streamTimeout = .seconds(1)
        return timing
    }()
}

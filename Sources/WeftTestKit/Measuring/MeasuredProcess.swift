internal import WeftCore
internal import WeftGossip

/// A process that a pool of any size can be made of, and whose pool can be measured.
package protocol MeasuredProcess: SimulatedProcess {
    /// Fills an empty simulation with a pool whose members all know each other. `exchanges` false leaves out the
    /// periodic exchanges of state, which take most of the time in large pools and change nothing in one at rest.
    static func fill(_ simulation: Simulation<Self>, count: Int, lifeguard: Bool, exchanges: Bool)
    mutating func sendEvent(number: Int, _ context: inout Context)
    /// Tags that say this version.
    mutating func changeTags(version: Int, _ context: inout Context)
    /// Exchanges full state with another member.
    mutating func exchangeState(with host: Int, _ context: inout Context)
    /// What a report means; nil when it is not measured.
    static func observation(_ report: Report) -> Observation?
}

/// What a member has learned.
package enum Observation: Sendable {
    case event(Int)
    case tags(of: Int, version: Int)
    case failed(Int, incarnation: Int)
}

// MARK: - Weft

extension GossipProcess: MeasuredProcess {
    package static func fill(_ simulation: Simulation<GossipProcess>, count: Int, lifeguard: Bool, exchanges: Bool) {
        let pool = MemberIdentityPool()
        var identities: [MemberIdentity] = []
        for host in 0..<count {
            simulation.addHost()
            var configuration = GossipConfiguration(
                name: MemberName(simulatedHost: host),
                advertise: NetworkAddress(simulatedHost: host),
                tags: ["v": "0", "weft": "1"]
            )
            configuration.identityPool = pool
            configuration.expectedMembers = count
            configuration.lifeguard = lifeguard
            // The model counts plain bytes.
            configuration.compression = false
            if !exchanges { configuration.timing.pushPullInterval = .seconds(24 * 3600) }
            do throws(GossipConfigurationError) {
                simulation.start(GossipProcess(try GossipNode(configuration), isWatched: false), on: host)
            } catch {
                preconditionFailure("the measured configuration is refused: \(error)")
            }
            if let identity = simulation.inspect(host, { $0.node.ownIdentity }) ?? nil { identities.append(identity) }
        }
        acquaint(simulation, identities)
    }

    /// Makes everybody know everybody. Only the first few have an order of probing of their own: to shuffle ten thousand
    /// members ten thousand times takes minutes. The others begin somewhere in one of these.
    private static func acquaint(_ simulation: Simulation<GossipProcess>, _ identities: [MemberIdentity]) {
        let count = identities.count
        let originals = min(count, 64)
        for host in 0..<originals {
            simulation.command(host) { $0.node.preload(identities, now: $1.now, using: &$1.random) }
        }
        for host in originals..<count {
            guard let original = simulation.inspect(host % originals, { $0.node }) else { continue }
            simulation.command(host) { $0.node.copyMembers(of: original, using: &$1.random) }
        }
    }

    package mutating func sendEvent(number: Int, _ context: inout Context) {
        perform(&context) { node, now, random, actions in
            _ = try? node.sendUserEvent(
                name: "measure",
                payload: Array("\(number)".utf8),
                coalesce: false,
                now: now,
                using: &random,
                into: &actions
            )
        }
    }

    package mutating func changeTags(version: Int, _ context: inout Context) {
        let tags: Tags = ["v": "\(version)", "weft": "1"]
        perform(&context) { node, now, random, actions in
            try? node.setTags(tags, now: now, using: &random, into: &actions)
        }
    }

    package mutating func exchangeState(with host: Int, _ context: inout Context) {
        let address = NetworkAddress(simulatedHost: host)
        perform(&context) { node, now, random, actions in
            _ = try? node.join([address], now: now, using: &random, into: &actions)
        }
    }

    package static func observation(_ report: Report) -> Observation? {
        switch report {
        case .action(.userEvent(let event)):
            return Int(String(decoding: event.payload, as: UTF8.self)).map { .event($0) }
        case .action(.memberChanged(let change)):
            let host = change.member.name.simulatedHost
            switch change.kind {
            case .failed: return .failed(host, incarnation: Int(change.member.incarnation.value))
            case .updated: return .tags(of: host, version: change.member.tags["v"].flatMap { Int($0) } ?? 0)
            case .joined, .left, .reaped, .availability: return nil
            }
        case .action, .violation: return nil
        }
    }
}

// MARK: - The model

extension ModelProcess: MeasuredProcess {
    package static func fill(_ simulation: Simulation<ModelProcess>, count: Int, lifeguard: Bool, exchanges: Bool) {
        var rules = ModelRules()
        rules.lifeguard = lifeguard
        if !exchanges { rules.pushPullInterval = .seconds(24 * 3600) }
        for host in 0..<count {
            simulation.addHost()
            simulation.start(ModelProcess(own: host, count: count, rules: rules), on: host)
        }
    }

    package mutating func sendEvent(number: Int, _ context: inout Context) { sendEvent(number, &context) }

    package mutating func changeTags(version: Int, _ context: inout Context) { setTags(UInt32(version), &context) }

    package mutating func exchangeState(with host: Int, _ context: inout Context) { exchange(with: host, &context) }

    package static func observation(_ report: ModelReport) -> Observation? {
        switch report {
        case .event(let number): .event(number)
        case .tags(let host, let version): .tags(of: host, version: Int(version))
        case .failed(let host, let incarnation): .failed(host, incarnation: Int(incarnation))
        case .alive: nil
        }
    }
}

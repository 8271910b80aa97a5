internal import WeftCore

extension ConfigurationReader {
    mutating func readNode(_ node: SettingNode) -> Configuration.Node {
        var result = Configuration.Node()
        guard let section = open(node, as: .node) else { return result }
        if let name = section["name"] { result.name = read(name, as: .nodeName) }
        return result
    }

    mutating func readGossip(_ node: SettingNode) -> Configuration.Gossip {
        var gossip = Configuration.Gossip()
        guard let section = open(node, as: .gossip) else { return gossip }
        read("enabled", of: section, as: .boolean, into: &gossip.enabled)
        read("port", of: section, as: .gossipPort, into: &gossip.port)
        if let address = section["advertise"] { gossip.advertise = read(address, as: .advertisedAddress) }
        readList("join", of: section, as: .peerAddress, into: &gossip.join)
        if let file = section["key-file"] { gossip.keyFile = read(file, as: .absolutePath) }
        return gossip
    }

    mutating func readProxy(_ node: SettingNode) -> Configuration.Proxy {
        var proxy = Configuration.Proxy()
        guard let section = open(node, as: .proxy) else { return proxy }
        // A connection's id has 8 bits for its loop.
        read("loops", of: section, as: .integerOrAuto(1...256), into: &proxy.loops)
        read(
            "connect-timeout",
            of: section,
            as: .duration(.milliseconds(100) ... .seconds(300)),
            into: &proxy.connectTimeout
        )
        read(
            "half-close-timeout",
            of: section,
            as: .duration(.seconds(1) ... .seconds(86_400)),
            into: &proxy.halfCloseTimeout
        )
        // TCP_KEEPIDLE ends at 32767 seconds.
        read(
            "keepalive-idle",
            of: section,
            as: .wholeSeconds(.seconds(1) ... .seconds(7200)),
            into: &proxy.keepaliveIdle
        )
        read("user-timeout", of: section, as: .duration(.seconds(1) ... .seconds(3600)), into: &proxy.userTimeout)
        // systemd kills a unit 90 seconds after it asked it to stop.
        read("drain-timeout", of: section, as: .duration(.zero ... .seconds(60)), into: &proxy.drainTimeout)
        read("connections-max", of: section, as: .integer(16...500_000), into: &proxy.connectionsMax)
        // One for each loop at least.
        read("decisions-max", of: section, as: .integer(256...262_144), into: &proxy.decisionsMax)
        return proxy
    }

    mutating func readLog(_ node: SettingNode) -> Configuration.Log {
        var log = Configuration.Log()
        guard let section = open(node, as: .log) else { return log }
        read("level", of: section, as: .choice, into: &log.level)
        read("requests", of: section, as: .choice, into: &log.requests)
        return log
    }
}

/// Mistakes in `[gossip]`.
extension Broken {
    static let gossip = [
        Broken("[gossip]\nport = 0", line: 2, key: "gossip.port", reason: "too small", remedy: "from 1 to 65535"),
        Broken("[gossip]\nport = 15008", line: 2, key: "gossip.port", reason: "15008 is taken", remedy: "such as 7946"),
        Broken(
            "[gossip]\nadvertise = \"db-1\"",
            line: 2,
            key: "gossip.advertise",
            reason: "not looked up here",
            remedy: "an address of this host"
        ),
        Broken(
            "[gossip]\nadvertise = \"127.0.0.1\"",
            line: 2,
            key: "gossip.advertise",
            reason: "something else on each host",
            remedy: "that the others reach"
        ),
        Broken(
            "[gossip]\njoin = \"10.0.0.1\"",
            line: 2,
            key: "gossip.join",
            reason: "a list is needed",
            remedy: "write [\"10.0.0.1\"]"
        ),
        Broken(
            "[gossip]\njoin = [\n  \"10.0.0.1\",\n  \"10.0.0\",\n]",
            line: 4,
            key: "gossip.join",
            reason: "neither an address nor a host's name",
            remedy: "\"[fd00::11]:7946\""
        ),
        Broken(
            "[gossip]\njoin = [\"a:7946\", \"a:7946\"]",
            line: 2,
            key: "gossip.join",
            reason: "in the list already",
            remedy: "remove one"
        ),
        Broken(
            "[gossip]\nkey-file = \"gossip.key\"",
            line: 2,
            key: "gossip.key-file",
            reason: "not the absolute path",
            remedy: "/etc/weft/gossip.key"
        ),
        Broken(
            "[gossip]\nkeyfile = \"/etc/weft/gossip.key\"",
            line: 2,
            key: "gossip.keyfile",
            reason: "has no setting \"keyfile\"",
            remedy: "write \"key-file\""
        ),
    ]
}

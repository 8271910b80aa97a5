/// Wrong list entries.
extension Broken {
    private static func excluded(_ list: String, _ entries: String, reason: String, remedy: String) -> Broken {
        Broken(
            "[capture.exclude]\n# why\n\(list) = [\(entries)]",
            line: 3,
            key: "capture.exclude.\(list)",
            reason: reason,
            remedy: remedy
        )
    }

    static let ports = [
        excluded("ports", "0", reason: "0 is no port", remedy: "from 1 to 65535"),
        excluded("ports", "65536", reason: "65536 is no port", remedy: "from 1 to 65535"),
        excluded("ports", "\"80-65536\"", reason: "65536 is no port", remedy: "\"8000-8010\""),
        excluded("ports", "\"8010-8000\"", reason: "backwards", remedy: "write \"8000-8010\""),
        excluded("ports", "\"8000:8010\"", reason: "\"8000:8010\"", remedy: "\"8000-8010\""),
        excluded("ports", "\"http\"", reason: "neither a port nor a range", remedy: "such as 8080"),
        excluded("ports", "\"1-2-3\"", reason: "\"1-2-3\"", remedy: "such as 8080"),
        excluded("ports", "15001", reason: "15001 is weft's own", remedy: "remove it"),
        excluded("ports", "\"7946\"", reason: "7946 is weft's own", remedy: "remove it"),
        excluded("ports", "\"1-65535\"", reason: "every port", remedy: "enabled = false"),
        excluded("ports", "80, \"80\"", reason: "on line 3", remedy: "remove one"),
        excluded(
            "ports",
            (1...1001).map(String.init).joined(separator: ","),
            reason: "1001 entries",
            remedy: "1000 or fewer"
        ),
    ]

    static let addresses = [
        excluded(
            "addresses",
            "\"10.0.0.5/8\"",
            reason: "\"10.0.0.5/8\" has host bits set",
            remedy: "write \"10.0.0.0/8\" for the block, or \"10.0.0.5\""
        ),
        excluded("addresses", "\"fd00::1/8\"", reason: "host bits", remedy: "\"fd00::/8\""),
        excluded("addresses", "\"10.0.0.0/33\"", reason: "prefix length", remedy: "0 to 32"),
        excluded("addresses", "\"fd00::/\"", reason: "prefix length", remedy: "0 to 128"),
        excluded("addresses", "\"10.0.0.0/+8\"", reason: "prefix length", remedy: "0 to 32"),
        excluded("addresses", "\"db.example.com\"", reason: "names are not looked up", remedy: "\"10.0.0.1\""),
        excluded("addresses", "\"10.0.0\"", reason: "not an IP address", remedy: "\"10.0.0.0/8\""),
        excluded("addresses", "\"fe80::1%eth0\"", reason: "not an IP address", remedy: "block"),
        excluded("addresses", "\"::ffff:10.0.0.1\"", reason: "IPv4", remedy: "\"10.0.0.1\""),
        excluded("addresses", "10", reason: "10 is a number", remedy: "\"10.0.0.1\""),
        excluded("addresses", "\"10.0.0.1\", \"10.0.0.1/32\"", reason: "in the list already", remedy: "remove one"),
    ]

    static let units = [
        excluded("units", "\"\"", reason: "\"\" is no unit", remedy: "remove the entry"),
        excluded("units", "\"backup\"", reason: "no unit suffix", remedy: "write \"backup.service\""),
        excluded("units", "\".service\"", reason: "no unit suffix", remedy: "service"),
        excluded("units", "\"backup-*.service\"", reason: "cannot be", remedy: "patterns and paths are not understood"),
        excluded("units", "\"/etc/systemd/system/a.service\"", reason: "cannot be", remedy: "patterns and paths"),
        excluded("units", "\"user.slice\"", reason: "is a slice", remedy: "name the units themselves"),
        excluded("units", "\"postgresql@.service\"", reason: "template", remedy: "\"postgresql@main.service\""),
        excluded("units", "\"weftd.service\"", reason: "never captured", remedy: "remove"),
        excluded("units", "\"a.service\", \"a.service\"", reason: "already, on line 3", remedy: "remove one"),
    ]

    static let users = [
        excluded("users", "\"\"", reason: "no user name", remedy: "\"postgres\""),
        excluded("users", "\"1000\"", reason: "in quotes", remedy: "without quotes"),
        excluded("users", "-1", reason: "-1 is no user id", remedy: "0 to 4294967294"),
        excluded("users", "4294967295", reason: "no user id", remedy: "0 to 4294967294"),
        excluded("users", "\"a b\"", reason: "cannot be a user name", remedy: "user id"),
        excluded("users", "true", reason: "true is a boolean", remedy: "user id"),
        excluded("users", "7, 7", reason: "already", remedy: "remove one"),
    ]
}

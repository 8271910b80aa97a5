/// Single values of a wrong kind or out of range.
extension Broken {
    static let kinds = [
        Broken(
            "[capture]\nenabled = \"yes\"",
            line: 2,
            key: "capture.enabled",
            reason: "\"yes\" is a text, and a boolean is needed",
            remedy: "true or false, without quotes"
        ),
        Broken(
            "[capture]\ninbound = 1",
            line: 2,
            key: "capture.inbound",
            reason: "1 is a number",
            remedy: "true or false"
        ),
        Broken("[capture]\nlocal = [true]", line: 2, key: "capture.local", reason: "a list", remedy: "true or false"),
        Broken(
            "[capture]\npreserve-client-address = nan",
            line: 2,
            key: "capture.preserve-client-address",
            reason: "nan is a decimal number",
            remedy: "true or false"
        ),
        Broken(
            "[capture.exclude]\nports = 8080",
            line: 2,
            key: "capture.exclude.ports",
            reason: "a list is needed",
            remedy: "write [8080]"
        ),
        Broken(
            "[capture.exclude]\nports = [\n  80,\n  true,\n]",
            line: 4,
            key: "capture.exclude.ports",
            reason: "true is a boolean",
            remedy: "a port from 1 to 65535"
        ),
        Broken("[node]\nname = 7", line: 2, key: "node.name", reason: "a text is needed", remedy: "letters, digits"),
        Broken("[node]\nname = \"\"", line: 2, key: "node.name", reason: "\"\"", remedy: "1 to 63"),
        Broken("[node]\nname = \"db.1\"", line: 2, key: "node.name", reason: "\"db.1\"", remedy: "hyphens"),
        Broken("[node]\nname = \"-a\"", line: 2, key: "node.name", reason: "\"-a\"", remedy: "no hyphen at either end"),
    ]

    static let durations = [
        Broken(
            "[proxy]\nconnect-timeout = 10",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "10 has no unit",
            remedy: "write \"10s\""
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"10\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "no unit",
            remedy: "write \"10s\""
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"10 s\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "\"10 s\"",
            remedy: "one unit"
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"1m30s\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "\"1m30s\"",
            remedy: "one unit"
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"-1s\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "\"-1s\"",
            remedy: "whole number"
        ),
        Broken(
            "[proxy]\nconnect-timeout = 1.5",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "a decimal number",
            remedy: "whole number"
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"99999999999999999999h\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "too long",
            remedy: "such as \"10s\""
        ),
        Broken(
            "[proxy]\nconnect-timeout = \"10ms\"",
            line: 2,
            key: "proxy.connect-timeout",
            reason: "\"10ms\" is too short",
            remedy: "from 100ms to 5m"
        ),
        Broken(
            "[proxy]\nkeepalive-idle = \"1500ms\"",
            line: 2,
            key: "proxy.keepalive-idle",
            reason: "whole number of seconds",
            remedy: "write \"1s\" or \"2s\""
        ),
    ]

    static let numbers = [
        Broken(
            "[proxy]\nloops = 0",
            line: 2,
            key: "proxy.loops",
            reason: "0 is too small",
            remedy: "to 256, or \"auto\""
        ),
        Broken("[proxy]\nloops = \"two\"", line: 2, key: "proxy.loops", reason: "\"two\"", remedy: "\"auto\""),
        Broken(
            "[proxy]\nconnections-max = 5e4",
            line: 2,
            key: "proxy.connections-max",
            reason: "50000.0 is a decimal number",
            remedy: "whole number from 16 to 500000"
        ),
        Broken(
            "[proxy]\nconnections-max = 9_000_000",
            line: 2,
            key: "proxy.connections-max",
            reason: "9000000 is too large",
            remedy: "500000"
        ),
        Broken("[proxy]\ndecisions-max = -1", line: 2, key: "proxy.decisions-max", reason: "-1", remedy: "256"),
    ]

    static let words = [
        Broken(
            "[capture]\nscope = \"mash\"",
            line: 2,
            key: "capture.scope",
            reason: "\"mash\"",
            remedy: "write \"mesh\""
        ),
        Broken(
            "[capture]\nscope = \"everything\"",
            line: 2,
            key: "capture.scope",
            reason: "\"everything\"",
            remedy: "\"all\" or \"mesh\""
        ),
        Broken(
            "[capture]\nfail = \"close\"",
            line: 2,
            key: "capture.fail",
            reason: "\"close\"",
            remedy: "write \"closed\""
        ),
        Broken(
            "[log]\nlevel = 3",
            line: 2,
            key: "log.level",
            reason: "3 is a number",
            remedy: "\"error\" or \"critical\""
        ),
        Broken(
            "[log]\nlevel = \"Warn\"",
            line: 2,
            key: "log.level",
            reason: "\"Warn\"",
            remedy: "\"trace\", \"debug\""
        ),
    ]
}

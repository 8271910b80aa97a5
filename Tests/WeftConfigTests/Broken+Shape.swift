/// Files that are not TOML, or not laid out as the configuration is.
extension Broken {
    static let syntax = [
        Broken("[capture]\nenabled = yes\n", line: 2, key: "", reason: "not TOML: value", remedy: "in quotes"),
        Broken("[proxy]\nconnect-timeout = 10s", line: 2, key: "", reason: "saw 's'", remedy: "durations in quotes"),
        Broken(
            "[node]\nname = \"db\n[log]",
            line: 2,
            key: "",
            reason: "control characters",
            remedy: "close the quotes"
        ),
        Broken("[capture", line: 1, key: "", reason: "end-of-file", remedy: "a quote, a bracket or a value is missing"),
        Broken("[node]\nname = 2024-05-27", line: 2, key: "", reason: "a date or time", remedy: "in quotes"),
        Broken(
            "[capture.exclude]\nports = [\n  8000-8010\n]",
            line: 3,
            key: "",
            reason: "without quotes",
            remedy: "\"8000-8010\""
        ),
        Broken("[capture.exclude]\nports = [80, }", line: 2, key: "", reason: "a list entry", remedy: "with ]"),
        Broken("\n[=]", line: 2, key: "", reason: "a table header needs a name", remedy: "[capture]"),
        Broken("[log]\nlevel = \"info\"\nlevel = \"debug\"", line: 3, key: "", reason: "'level'", remedy: "each key"),
        Broken("[log]\n[proxy]\n[log]\n", line: 3, key: "", reason: "'log'", remedy: "each table once"),
        Broken("[proxy]\nconnect-timeout: \"10s\"", line: 2, key: "", reason: "':'", remedy: "one setting on a line"),
        Broken(
            "[proxy]\nloops = 99999999999999999999",
            line: 2,
            key: "",
            reason: "not representable in 64 bits",
            remedy: "one setting on a line"
        ),
        Broken("# a\u{0}b\n", line: 1, key: "", reason: "U+0000", remedy: "remove it"),
        Broken("[log]\n\"a\\u0000b\" = 1", line: 2, key: "", reason: "U+0000", remedy: "remove it"),
        Broken(
            "[log]\nx = " + String(repeating: "[", count: 1000),
            line: 2,
            key: "",
            reason: "more than 16 deep",
            remedy: "config/weft.toml"
        ),
        Broken(
            String(repeating: "a.", count: 100_000) + "a = 1",
            line: 1,
            key: "",
            reason: "more than 16 deep",
            remedy: "config/weft.toml"
        ),
        Broken(
            String(repeating: "#", count: 256 * 1024 + 1),
            line: 0,
            key: "",
            reason: "larger than 256 KiB",
            remedy: "the right file"
        ),
    ]

    static let structure = [
        Broken("[captrue]\n", line: 1, key: "captrue", reason: "no table [captrue]", remedy: "write [capture]"),
        Broken("[services.api]\n", line: 1, key: "services", reason: "no table", remedy: "write [service.NAME]"),
        Broken(
            "\n[gateway]\n",
            line: 2,
            key: "gateway",
            reason: "no table",
            remedy: "[node], [capture], [gossip], [security], [identity], [proxy], [log]"
        ),
        Broken(
            "[exclude]\nports = [1]",
            line: 1,
            key: "exclude",
            reason: "no table",
            remedy: "write [capture.exclude]"
        ),
        Broken("scope = \"all\"", line: 1, key: "scope", reason: "in no table", remedy: "move it to [capture]"),
        Broken(
            "[capture]\n\nconnect-timeout = \"1s\"",
            line: 3,
            key: "capture.connect-timeout",
            reason: "[capture] has no setting \"connect-timeout\"",
            remedy: "move it to [proxy]"
        ),
        Broken(
            "[capture.exclude]\nprots = [80]",
            line: 2,
            key: "capture.exclude.prots",
            reason: "\"prots\"",
            remedy: "write \"ports\""
        ),
        Broken(
            "[proxy]\nconnect_timeout = \"1s\"",
            line: 2,
            key: "proxy.connect_timeout",
            reason: "no setting",
            remedy: "write \"connect-timeout\""
        ),
        Broken(
            "[log]\ncolour = true",
            line: 2,
            key: "log.colour",
            reason: "\"colour\"",
            remedy: "[log] knows: level"
        ),
        Broken(
            "capture.exclude.\"a b\" = 1",
            line: 1,
            key: "capture.exclude.\"a b\"",
            reason: "\"a b\"",
            remedy: "ports, addresses, units, users"
        ),
        Broken("capture = true", line: 1, key: "capture", reason: "true is a boolean", remedy: "write [capture]"),
        Broken("[[proxy]]\n", line: 1, key: "proxy", reason: "no list", remedy: "single brackets"),
        Broken(
            "[service]\nexpose = true",
            line: 2,
            key: "service.expose",
            reason: "a table is needed",
            remedy: "write [service.NAME]"
        ),
    ]
}

/// Numbers of `[service.NAME]` that cannot govern requests.
extension Broken {
    static let policies = [
        policy("timeout", "\"1ms\"", reason: "too short", remedy: "from 10ms to 1d"),
        policy("timeout", "15", reason: "15 has no unit", remedy: "\"15s\""),
        policy("try-timeout", "\"2d\"", reason: "too long", remedy: "from 5ms to 1d"),
        policy("retries", "3", reason: "too large", remedy: "from 0 to 2"),
        policy("retry-budget", "101", reason: "too large", remedy: "from 0 to 100"),
        policy("retry-floor", "-1", reason: "too small", remedy: "from 0 to 1000"),
        policy("retry-body", "2000000", reason: "too large", remedy: "1048576"),
        policy("connections", "0", reason: "too small", remedy: "from 1 to 1000000"),
        policy("requests", "\"many\"", reason: "a whole number is needed", remedy: "from 1 to 1000000"),
        policy("pending-timeout", "\"1h\"", reason: "too long", remedy: "from 10ms to 10m"),
        policy("rate", "500", reason: "a text is needed", remedy: "\"500/s\""),
        policy("rate", "\"500/day\"", reason: "\"500/day\" is not a rate", remedy: "units are s, m and h"),
        policy("rate", "\"0/s\"", reason: "out of range", remedy: "from 1 to"),
        policy("rate", "[\"5/s\", \"6/s\"]", reason: "a second rate for all callers", remedy: "keep one"),
        policy("hash", "3", reason: "a text is needed", remedy: "\"header x-user\""),
        policy("hash", "\"cookie\"", reason: "\"cookie\" does not say what to hash", remedy: "\"source\""),
        policy("hash", "\"header x user\"", reason: "does not say what to hash", remedy: "\"header x-user\""),
        policy("hash", "\"header x:user\"", reason: "\"x:user\" cannot be the name", remedy: "letters, digits"),
        policy("near", "\"yes\"", reason: "a boolean is needed", remedy: "write true or false"),
        policy("weights", "3", reason: "a table is needed", remedy: "weights = { shop = 3 }"),
        Broken(
            "[service.api]\nweights = { shop = 0 }",
            line: 2,
            key: "service.api.weights.shop",
            reason: "too small",
            remedy: "from 1 to 1000"
        ),
        Broken(
            "[service.api]\ntimeout = \"1s\"\ntry-timeout = \"2s\"",
            line: 3,
            key: "service.api.try-timeout",
            reason: "longer than timeout",
            remedy: "a shorter try-timeout"
        ),
        Broken(
            "[service.api]\nrate = [\"5/s\", \"6/s per caller\"]",
            line: 2,
            key: "service.api.rate",
            reason: "more than",
            remedy: "raise the rate"
        ),
        Broken("[log]\nrequests = \"some\"", line: 2, key: "log.requests", reason: "\"some\"", remedy: "\"off\""),
    ]

    private static func policy(_ key: String, _ value: String, reason: String, remedy: String) -> Broken {
        Broken(
            "[service.api]\n\(key) = \(value)",
            line: 2,
            key: "service.api.\(key)",
            reason: reason,
            remedy: remedy
        )
    }
}

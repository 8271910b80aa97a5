/// Mistakes in `[security]`, `[identity]`, tenants and lists of callers.
extension Broken {
    static let security = [
        Broken("[security]\nport = 7946", line: 2, key: "security.port", reason: "taken", remedy: "such as 15008"),
        Broken(
            "[security]\nport = 443",
            line: 2,
            key: "security.port",
            reason: "too small",
            remedy: "from 1024 to 65535"
        ),
        Broken(
            "[security]\nport = 8443\n[gossip]\nport = 8443",
            line: 2,
            key: "security.port",
            reason: "that of gossip as well",
            remedy: "here or in [gossip]"
        ),
        Broken("[security]\nstrict = 1", line: 2, key: "security.strict", reason: "", remedy: "true"),
        Broken(
            "[identity]\nleaf-lifetime = \"1s\"",
            line: 2,
            key: "identity.leaf-lifetime",
            reason: "too short",
            remedy: "from 10s"
        ),
        Broken(
            "[identity]\nleaf-lifetime = \"31d\"",
            line: 2,
            key: "identity.leaf-lifetime",
            reason: "would end before",
            remedy: "intermediate-lifetime"
        ),
        Broken(
            "[identity]\nleaf-lifetime = \"1h\"\nintermediate-lifetime = \"1h\"",
            line: 3,
            key: "identity.intermediate-lifetime",
            reason: "would end before",
            remedy: "longer than leaf-lifetime"
        ),
        Broken("[tenant.Shop]", line: 1, key: "tenant.Shop", reason: "cannot be", remedy: "write \"shop\""),
        Broken(
            "[tenant.\"shop.slice\"]",
            line: 1,
            key: "tenant.\"shop.slice\"",
            reason: "cannot be",
            remedy: "write \"shop\""
        ),
        Broken("[tenant.\"\"]", line: 1, key: "tenant.\"\"", reason: "cannot be", remedy: "without .slice"),
        Broken(
            "[tenant.shop]\nisolated = true",
            line: 2,
            key: "tenant.shop.isolated",
            reason: "no setting",
            remedy: "write \"isolate\""
        ),
        Broken("tenant = 1", line: 1, key: "tenant", reason: "", remedy: "[tenant.NAME]"),
        Broken(
            "[service.api]\nallow = \"web\"",
            line: 2,
            key: "service.api.allow",
            reason: "list",
            remedy: "[\"web\"]"
        ),
        Broken(
            "[service.api]\nallow = [\n  \"web\",\n  \"Web.service\",\n]",
            line: 4,
            key: "service.api.allow",
            reason: "names no caller",
            remedy: "write \"web\""
        ),
        Broken(
            "[service.api]\nallow = [\"a/b/c\"]",
            line: 2,
            key: "service.api.allow",
            reason: "names no caller",
            remedy: "shop/web"
        ),
        Broken(
            "[service.api]\nallow = [\"web\", \"web\"]",
            line: 2,
            key: "service.api.allow",
            reason: "in the list already",
            remedy: "remove one"
        ),
    ]
}

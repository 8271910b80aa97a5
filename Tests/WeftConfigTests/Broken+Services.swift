/// Wrong services, and settings that contradict each other.
extension Broken {
    static let services = [
        Broken("[service.sshd]\n", line: 1, key: "service.sshd", reason: "never a service", remedy: "another service"),
        Broken("[service.weftd]\nexpose = true", line: 1, key: "service.weftd", reason: "never", remedy: "remove this"),
        Broken(
            "[service.API]",
            line: 1,
            key: "service.API",
            reason: "cannot be a service's name",
            remedy: "write \"api\""
        ),
        Broken("[service.\"\"]", line: 1, key: "service.\"\"", reason: "\"\"", remedy: "1 to 63 lower-case"),
        Broken(
            "[service.\"api.service\"]",
            line: 1,
            key: "service.\"api.service\"",
            reason: "a unit's name",
            remedy: "write \"api\""
        ),
        Broken(
            "[service.api]\nname = \"ssh\"",
            line: 2,
            key: "service.api.name",
            reason: "never a service",
            remedy: "another"
        ),
        Broken(
            "[service.api]\nname = \"My API\"",
            line: 2,
            key: "service.api.name",
            reason: "\"My API\"",
            remedy: "lower-case"
        ),
        Broken(
            "[service.api]\nprotocol = \"htp\"",
            line: 2,
            key: "service.api.protocol",
            reason: "\"htp\"",
            remedy: "write \"http\""
        ),
        Broken("[service.api]\nexpose = \"no\"", line: 2, key: "service.api.expose", reason: "a text", remedy: "false"),
        Broken(
            "[service.api]\nlabel = { a = \"b\" }",
            line: 2,
            key: "service.api.label",
            reason: "\"label\"",
            remedy: "write \"labels\""
        ),
        Broken(
            "[service.api.labels]\nversion = \"2\"\nweight = 10",
            line: 3,
            key: "service.api.labels.weight",
            reason: "10 is a number",
            remedy: "in quotes"
        ),
        Broken(
            "[service.api]\nlabels = { weight = \"heavy\" }",
            line: 2,
            key: "service.api.labels.weight",
            reason: "\"heavy\" is no weight",
            remedy: "0 to 1000"
        ),
        Broken(
            "[service.api]\nlabels = [\"v2\"]",
            line: 2,
            key: "service.api.labels",
            reason: "a table is needed",
            remedy: "labels = { version"
        ),
        Broken(
            "[service.api.labels]\n\"two words\" = \"a\"",
            line: 2,
            key: "service.api.labels.\"two words\"",
            reason: "label's name",
            remedy: "letters"
        ),
        Broken(
            "[service.api.labels]\na = \"\"",
            line: 2,
            key: "service.api.labels.a",
            reason: "label's value",
            remedy: "1 to 255 bytes"
        ),
        Broken(
            "[service.api.labels]\n" + (1...33).map { "l\($0) = \"a\"\n" }.joined(),
            line: 1,
            key: "service.api.labels",
            reason: "33 labels",
            remedy: "32 or fewer"
        ),
    ]

    static let conflicts = [
        Broken(
            "[capture]\nfail = \"closed\"",
            line: 2,
            key: "capture.fail",
            reason: "there are none",
            remedy: "add fail-users"
        ),
        Broken(
            "[capture]\nfail = \"closed\"\nfail-users = []",
            line: 2,
            key: "capture.fail",
            reason: "there are none",
            remedy: "write \"open\""
        ),
        Broken(
            "[capture]\nfail-users = [\"billing\"]",
            line: 2,
            key: "capture.fail-users",
            reason: "fail is \"open\"",
            remedy: "add fail = \"closed\""
        ),
        Broken(
            "[capture]\nfail = \"closed\"\nfail-users = [\"billing\", 7]\n[capture.exclude]\nusers = [\n 7 ]",
            line: 6,
            key: "capture.exclude.users",
            reason: "7 is in fail-users as well",
            remedy: "one of the two lists"
        ),
        Broken(
            "[service.a]\nname = \"x\"\n[service.b]\nname = \"x\"",
            line: 4,
            key: "service.b.name",
            reason: "also the name of [service.a], on line 2",
            remedy: "choose another name"
        ),
        Broken(
            "[service.a]\nname = \"b\"\n[service.b]\nexpose = true",
            line: 2,
            key: "service.a.name",
            reason: "also the name of [service.b], on line 3",
            remedy: "choose another name"
        ),
    ]
}

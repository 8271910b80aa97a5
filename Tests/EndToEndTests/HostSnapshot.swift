import WeftTestRig

/// Everything about a host that installing weft could change, as lines that can be compared.
struct HostSnapshot {
    private let lines: [String: Set<Substring>]

    init(of host: TestHost) async throws {
        var lines: [String: Set<Substring>] = [:]
        for (topic, script) in Self.scripts {
            lines[topic] = Set(try await host.shell(script).lines)
        }
        self.lines = lines
    }

    /// One line for each difference, with the topic, `+` or `-`, and what is new or gone.
    func differences(from before: HostSnapshot) -> [String] {
        var differences: [String] = []
        for topic in lines.keys.sorted() {
            let old = before.lines[topic] ?? []
            let new = lines[topic] ?? []
            differences += new.subtracting(old).sorted().map { "\(topic): + \($0)" }
            differences += old.subtracting(new).sorted().map { "\(topic): - \($0)" }
        }
        return differences
    }

    private static let scripts = [
        // Names, kinds, modes and owners of files, where programs are installed to and keep what they know. Not what
        // systemd, the journal and the shadow tools write for themselves.
        "files": """
        find /etc -xdev ! -name '.pwd.lock' \\
            ! -regex '/etc/\\(passwd\\|shadow\\|group\\|gshadow\\|subuid\\|subgid\\)-' -printf '%p %y %m %u %g %l\\n'
        find / /home /opt /root /srv /usr /usr/bin /usr/sbin /usr/lib /usr/lib/systemd/system /usr/lib/sysusers.d \\
            /usr/lib/tmpfiles.d /usr/share /var /var/lib /var/cache /var/spool -maxdepth 1 -printf '%p %y %m %u %g %l\\n'
        find /usr/local -xdev -maxdepth 6 -printf '%p %y %m %u %g %l\\n'
        """,
        "contents of /etc": """
        find /etc -xdev -type f ! -regex '/etc/\\(passwd\\|shadow\\|group\\|gshadow\\|subuid\\|subgid\\)-' \
            ! -name .pwd.lock -exec sha256sum {} +
        """,
        "users": "getent passwd",
        "groups": "getent group",
        "rules": "nft --stateless list ruleset",
        "addresses": "ip -o addr show scope global; ip -o addr show dev lo",
        "policy routing": "ip rule; ip -6 rule",
        "routes": "ip route show table all; ip -6 route show table all",
        "listeners": "ss -Hltn",
        "units": "systemctl list-unit-files --no-legend --no-pager --plain",
        "sysctls": "sysctl -a --pattern '^net\\.(ipv4|ipv6)\\.(conf|tcp|ip)' 2>/dev/null",
        "runtime files": "find /run -maxdepth 1 -printf '%f %y\\n'",
    ]
}

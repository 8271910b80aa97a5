internal import WeftAPI
internal import WeftConfig
internal import WeftHost
internal import WeftTransport

/// What is wrong on this host, as far as the control side knows.
extension HostController {
    /// Conntrack drops new connections when its table is full; this is when to say so.
    private static let conntrackFillWarning = 0.8

    var problems: [Problem] {
        var problems: [Problem] = []
        if let captureError {
            problems.append(
                Problem(
                    code: "capture-failed",
                    severity: .error,
                    text: "traffic is not captured: \(captureError)",
                    next: "sudo weft check"
                )
            )
        }
        if let rejectedConfiguration {
            problems.append(
                Problem(
                    code: "configuration-rejected",
                    severity: .error,
                    text: "the last reload was refused and the old configuration runs on: \(rejectedConfiguration)",
                    next: "weftd --check /etc/weft/weft.toml"
                )
            )
        }
        if let tunnelFailure {
            problems.append(
                Problem(
                    code: "tunnel-port-failed",
                    severity: .error,
                    text: "other hosts cannot reach this one through tunnels: \(tunnelFailure)",
                    next: "sudo ss -lntp 'sport = :\(configuration.security.port)'"
                )
            )
        }
        if plane.budget.isPaused {
            problems.append(
                Problem(
                    code: "accepting-paused",
                    severity: .error,
                    text: "new connections wait: \(plane.budget.open) are open, which is the limit "
                        + "(connections-max or descriptors)",
                    next: "weft connections"
                )
            )
        }
        if let usage = try? Conntrack.usage(), Double(usage.count) > Double(usage.max) * Self.conntrackFillWarning {
            problems.append(
                Problem(
                    code: "conntrack-fill",
                    severity: .error,
                    text: "connection tracking holds \(usage.count) of \(usage.max) entries; when it is full the "
                        + "kernel drops new connections",
                    next: "sysctl -w net.netfilter.nf_conntrack_max=\(usage.max * 2)"
                )
            )
        }
        problems += degraded.map {
            Problem(code: "capture-degraded", severity: .warning, text: $0, next: "sudo weft check")
        }
        problems += unknownUsers.map {
            Problem(
                code: "user-unknown",
                severity: .warning,
                text: "the configuration names user \($0), who does not exist",
                next: "getent passwd \($0)"
            )
        }
        return problems
    }
}

package import WeftCore

/// What the host configuration says about one service, on top of what was found (`[service.NAME]`).
package struct ServiceOverride: Sendable, Equatable {
    /// Another name to offer the service under.
    package var rename: ServiceName?
    package var labels: [String: String]
    /// What it speaks: `http`, `tcp`, ...
    package var protocolHint: String?
    /// True offers it to other hosts even from a loopback-only listener, false hides it, nil leaves the rule.
    package var expose: Bool?

    package init(
        rename: ServiceName? = nil,
        labels: [String: String] = [:],
        protocolHint: String? = nil,
        expose: Bool? = nil
    ) {
        self.rename = rename
        self.labels = labels
        self.protocolHint = protocolHint
        self.expose = expose
    }
}

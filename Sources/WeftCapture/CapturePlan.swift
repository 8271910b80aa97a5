/// What capture comes to on this kernel: the rules, and what they do without because the kernel lacks something.
package struct CapturePlan: Sendable, Equatable {
    package let ruleset: Ruleset
    /// One sentence for each thing that does not work here, with its reason; empty on a complete kernel.
    package let degraded: [String]
}

/// Capture would break a promise on this kernel and so must not start.
package struct CaptureRefused: Error, Equatable, CustomStringConvertible {
    package let missing: KernelFeature
    /// What cannot be promised.
    package let reason: String
    /// What the user can do.
    package let remedy: String

    package var description: String { "\(reason): this kernel lacks \(missing.requirement); \(remedy)" }
}

/// The spec with everything taken out that the kernel cannot do, and the sentences that say so.
struct CaptureAbilities {
    let spec: CaptureSpec
    let capturesInbound: Bool
    let capturesOutboundV6: Bool
    let capturesInboundV6: Bool
    let guardsListener: Bool
    let guardsInbound: Bool
    let leadsAnswersBack: Bool
    let keepsConnections: Bool
    let closesUsers: Bool
    let degraded: [String]

    init(_ spec: CaptureSpec) throws(CaptureRefused) {
        try Self.refuseIfNeeded(spec)
        let features = spec.features
        let inboundWanted = !spec.inboundPorts.isEmpty
        var degraded: [String] = []
        /// Whether all of `needed` is there; if not, and the thing is wanted, says what is lost.
        func can(_ wanted: Bool, _ needed: KernelFeature..., orLose loss: String?) -> Bool {
            guard wanted else { return false }
            guard let gap = needed.first(where: { !features.has($0) }) else { return true }
            if let loss { degraded.append("\(loss): this kernel lacks \(gap.requirement)") }
            return false
        }
        self.spec = spec
        _ = can(
            true,
            .owner,
            orLose: "If weftd is killed its rules stay, and connections are refused, until `weftd --cleanup` has run"
        )
        _ = can(
            spec.ownCgroup != nil,
            .socketCgroup,
            orLose: "weftd's own sockets are recognised by their mark alone"
        )
        keepsConnections = can(
            true,
            .conntrack,
            orLose: "Captured clients may hang until their own timeout when weftd is killed"
        )
        capturesOutboundV6 = can(true, .ipv6, .natV6, orLose: "Outbound IPv6 is not captured")
        capturesInbound = can(
            inboundWanted,
            .tproxy,
            .fib,
            orLose: "Plaintext connections from other hosts are not captured"
        )
        capturesInboundV6 = can(
            capturesInbound,
            .ipv6,
            .tproxyV6,
            orLose: "Plaintext IPv6 connections from other hosts are not captured"
        )
        guardsListener = can(capturesOutboundV6, .reject, orLose: nil)
        guardsInbound = can(
            capturesInbound && spec.failClosed,
            .socketTransparent,
            .reject,
            orLose: "Inbound connections that capture misses are not refused"
        )
        leadsAnswersBack = can(
            spec.preservesClientAddress && capturesInbound,
            .routeChain,
            .conntrack,
            orLose: "Applications see weft's address instead of the client's"
        )
        closesUsers = spec.failClosed && !spec.failClosedUsers.isEmpty
        self.degraded = degraded
    }

    /// What the configuration asks for and nothing else can stand in for.
    private static func refuseIfNeeded(_ spec: CaptureSpec) throws(CaptureRefused) {
        func need(_ feature: KernelFeature, when wanted: Bool, _ reason: String, _ remedy: String)
            throws(CaptureRefused)
        {
            guard wanted, !spec.features.has(feature) else { return }
            throw CaptureRefused(missing: feature, reason: reason, remedy: remedy)
        }
        let useNewerKernel = "boot a kernel that has it, or load its module"
        for feature in [KernelFeature.nat, .redirect, .intervals] {
            try need(feature, when: true, "Nothing can be captured", useNewerKernel)
        }
        try need(
            .concatenation,
            when: spec.scope == .mesh,
            "Scope \"mesh\" is not possible",
            "set capture.scope = \"all\", or \(useNewerKernel)"
        )
        try need(
            .socketCgroup,
            when: !spec.excludedCgroups.isEmpty,
            "Units cannot be excluded",
            "exclude their users instead of capture.exclude.units, or \(useNewerKernel)"
        )
        try need(
            .reject,
            when: spec.failClosed && !spec.failClosedUsers.isEmpty,
            "Users cannot be held back while weft is away",
            "set capture.fail = \"open\", or \(useNewerKernel)"
        )
    }
}

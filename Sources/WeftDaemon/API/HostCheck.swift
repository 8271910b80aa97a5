internal import WeftAPI
internal import WeftCapture
internal import WeftHost
internal import WeftProxy
internal import WeftTransport

/// `weft check`: what weft needs of this host, looked at now, with a remedy for each thing that is not right.
struct HostCheck {
    let plane: DataPlane
    let controller: HostController

    func rows() async throws -> [CheckRow] {
        var rows: [CheckRow] = []
        rows += await kernelRows()
        rows += await captureRows()
        rows += firewallRows()
        rows += await attributionRows()
        rows += try await limitRows()
        rows.append(clockRow())
        return rows
    }

    // MARK: Kernel

    private func kernelRows() async -> [CheckRow] {
        let features = await controller.features
        return KernelFeature.allCases.map { feature in
            if features.has(feature) {
                return .good("kernel", feature.rawValue.kebabCase, "kernel has \(feature.requirement)")
            }
            guard feature != .persist else {
                return .good(
                    "kernel",
                    feature.rawValue.kebabCase,
                    "kernel lacks \(feature.requirement): the table that keeps NAT alive has no owner here"
                )
            }
            return .warning(
                "kernel",
                feature.rawValue.kebabCase,
                "kernel lacks \(feature.requirement)",
                "boot a kernel that has it; weft status says what it does without"
            )
        }
    }

    // MARK: Capture

    private func captureRows() async -> [CheckRow] {
        let status = await controller.captureStatus
        var rows: [CheckRow] = []
        switch status.state {
        case .on: rows.append(.good("capture", "state", "capture is on: \(status.rules) rules, scope \(status.scope)"))
        case .off: rows.append(.warning("capture", "state", "capture is off", "sudo weft on"))
        case .failed:
            rows.append(
                .failed(
                    "capture",
                    "state",
                    "capture failed: \(status.error ?? "no reason known")",
                    "journalctl -u weftd"
                )
            )
        }
        if status.state == .on {
            let installed = await controller.rulesAreInstalled()
            rows.append(
                installed
                    ? .good("capture", "installed", "the kernel has weft's tables, owned by weftd")
                    : .failed(
                        "capture",
                        "installed",
                        "the kernel does not have weft's tables",
                        "systemctl restart weftd"
                    )
            )
        }
        rows += status.degraded.map { .warning("capture", "degraded", $0, "see the kernel section above") }
        return rows
    }

    // MARK: Firewall

    private func firewallRows() -> [CheckRow] {
        do {
            let findings = try FirewallSurvey.run()
            guard !findings.isEmpty else {
                return [.good("firewall", "others", "no rules of others stand in the way")]
            }
            return findings.map { finding in
                switch finding.severity {
                case .note: .good("firewall", finding.code, finding.text)
                case .warning:
                    CheckRow(
                        section: "firewall",
                        code: finding.code,
                        verdict: .warning,
                        text: finding.text,
                        remedy: finding.remedy
                    )
                }
            }
        } catch {
            return [.warning("firewall", "others", "other rules could not be read: \(error)", "nft list ruleset")]
        }
    }

    // MARK: Attribution

    private func attributionRows() async -> [CheckRow] {
        let counters = try? await plane.counters()
        var rows = [
            CheckRow.good("attribution", "cgroup2", "cgroup2 is mounted at \(controller.mount.path)")
        ]
        rows.append(
            controller.directory.isFullyWatched
                ? .good("attribution", "cgroup-watches", "every control group is watched")
                : .warning(
                    "attribution",
                    "cgroup-watches",
                    "not every control group can be watched; they are read every second",
                    "sysctl -w fs.inotify.max_user_watches=1048576"
                )
        )
        if let counters, counters.attributionMisses > 0 {
            rows.append(
                .warning(
                    "attribution",
                    "misses",
                    "\(counters.attributionMisses) of \(counters.accepted) connections could not be attributed "
                        + "(clients that had gone, or whose owner the kernel does not name)",
                    "weft decisions"
                )
            )
        } else {
            rows.append(.good("attribution", "misses", "every connection was attributed"))
        }
        return rows
    }

    // MARK: Limits

    private func limitRows() async throws -> [CheckRow] {
        let usage = try ProcessStatistics.current()
        var rows = [
            share(
                "descriptors",
                "descriptors of weftd",
                usage.openDescriptors,
                usage.descriptorsMax,
                "raise LimitNOFILE= in weftd.service"
            )
        ]
        if let conntrack = try? Conntrack.usage() {
            rows.append(
                share(
                    "conntrack",
                    "tracked connections",
                    conntrack.count,
                    conntrack.max,
                    "sysctl -w net.netfilter.nf_conntrack_max=\(conntrack.max * 2)"
                )
            )
        }
        return rows
    }

    private func share(_ code: String, _ what: String, _ used: Int, _ limit: Int, _ remedy: String) -> CheckRow {
        let text = "\(what): \(used) of \(limit)"
        return used * 10 > limit * 8 ? .warning("limits", code, text, remedy) : .good("limits", code, text)
    }

    // MARK: Clock

    /// Certificates and tokens will need the right time; decisions are compared between hosts by it already.
    private func clockRow() -> CheckRow {
        HostClock.isSynchronised
            ? .good("daemon", "clock", "the clock is synchronised")
            : .warning("daemon", "clock", "the clock is not synchronised", "timedatectl set-ntp true")
    }
}

extension CheckRow {
    fileprivate static func good(_ section: String, _ code: String, _ text: String) -> CheckRow {
        CheckRow(section: section, code: code, verdict: .good, text: text, remedy: nil)
    }

    fileprivate static func warning(_ section: String, _ code: String, _ text: String, _ remedy: String) -> CheckRow {
        CheckRow(section: section, code: code, verdict: .warning, text: text, remedy: remedy)
    }

    fileprivate static func failed(_ section: String, _ code: String, _ text: String, _ remedy: String) -> CheckRow {
        CheckRow(section: section, code: code, verdict: .failed, text: text, remedy: remedy)
    }
}

extension String {
    /// `socketCgroup` as `socket-cgroup`.
    fileprivate var kebabCase: String {
        reduce(into: "") { text, letter in
            text += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
        }
    }
}

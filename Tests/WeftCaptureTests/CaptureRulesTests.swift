import Testing
import WeftCapture
import WeftCore

struct CaptureRulesTests {
    private func spec(_ change: (inout CaptureSpec) -> Void) -> CaptureSpec {
        var spec = CaptureSpec()
        spec.inboundPorts = [8000]
        change(&spec)
        return spec
    }

    private func elements(_ set: String, _ ruleset: Ruleset) -> [String]? {
        ruleset.tables.first { $0.name == Table.Name.capture }?.sets.first { $0.name == set }?.elements.map(\.text)
    }

    // MARK: What is captured

    @Test func virtualPrefixesAreBothFamiliesByDefault() {
        #expect(CaptureAddress.virtualPrefixes.map(\.description) == ["240.0.0.0/8", "fd77:6566:7400::/48"])
        #expect(CaptureAddress.v6.description == "fd77:6566:7400::1")
    }

    @Test func sshAndWeftsOwnPortsAreNeverCaptured() throws {
        let ruleset = try CaptureRules.ruleset(
            for: spec {
                $0.inboundPorts = [22, 80, 8443, 15001, 15006]
                $0.capturesLocal = true
                $0.excludedPorts = [PortRange(8443)]
            }
        )
        #expect(elements("in_ports", ruleset) == ["80"])
        #expect(elements("local_ports", ruleset) == ["80"])
        #expect(elements("skip_ports", ruleset) == ["22", "8443"])
    }

    @Test func sshStaysExcludedBesideItsNeighbours() throws {
        let ruleset = try CaptureRules.ruleset(
            for: spec { $0.excludedPorts = [PortRange(21), PortRange(23)] }
        )
        #expect(elements("skip_ports", ruleset) == ["21-23"])
    }

    @Test func ownCgroupIsExcludedLikeAUnit() throws {
        let ruleset = try CaptureRules.ruleset(
            for: spec {
                $0.ownCgroup = CgroupReference(level: 2, id: CgroupID(7))
                $0.excludedCgroups = [
                    CgroupReference(level: 2, id: CgroupID(5)), CgroupReference(level: 6, id: CgroupID(9)),
                ]
            }
        )
        #expect(elements("skip_cgroups_2", ruleset) == ["5", "7"])
        #expect(elements("skip_cgroups_3", ruleset) == [])
        #expect(elements("skip_cgroups_6", ruleset) == ["9"])
    }

    @Test func closedUsersNeedFailClosed() throws {
        let open = try CaptureRules.ruleset(for: spec { $0.failClosedUsers = [UserID(1)] })
        #expect(!open.tables.contains { $0.name == Table.Name.closed })
        let closed = try CaptureRules.ruleset(
            for: spec {
                $0.failClosed = true
                $0.failClosedUsers = [UserID(1)]
            }
        )
        #expect(closed.tables.map(\.name) == ["weft_keep", "weft_closed", "weft"])
    }

    /// Whatever a set may hold and whichever rules there are: rules only name sets of their own table.
    @Test func everyLookupHasItsSet() throws {
        for capturesLocal in [true, false] {
            for scope in [CaptureSpec.Scope.all, .mesh] {
                for lacking in KernelFeature.allCases {
                    let spec = spec {
                        $0.capturesLocal = capturesLocal
                        $0.scope = scope
                        $0.failClosed = true
                        $0.failClosedUsers = [UserID(1)]
                        $0.features.present.remove(lacking)
                    }
                    guard let ruleset = try? CaptureRules.ruleset(for: spec) else { continue }
                    for table in ruleset.tables {
                        let sets = Set(table.sets.map(\.name))
                        #expect(sets.count == table.sets.count)
                        for case .lookup(_, let set, _) in table.chains.flatMap(\.rules).flatMap(\.expressions) {
                            #expect(sets.contains(set), "\(table.name): \(set)")
                        }
                    }
                }
            }
        }
    }

    // MARK: What the kernel lacks

    @Test(arguments: [
        (KernelFeature.nat, CaptureSpec.Scope.all), (.redirect, .all), (.intervals, .all), (.concatenation, .mesh),
    ])
    func captureIsRefusedWithoutItsGround(lacking: KernelFeature, scope: CaptureSpec.Scope) {
        let error = #expect(throws: CaptureRefused.self) {
            try CaptureRules.plan(
                for: self.spec {
                    $0.scope = scope
                    $0.features.present.remove(lacking)
                }
            )
        }
        #expect(error?.missing == lacking)
        #expect(error?.description.contains(lacking.requirement) == true)
    }

    @Test func promisesThatCannotBeKeptAreRefused() {
        let units = #expect(throws: CaptureRefused.self) {
            try CaptureRules.plan(
                for: self.spec {
                    $0.excludedCgroups = [CgroupReference(level: 2, id: CgroupID(5))]
                    $0.features.present.remove(.socketCgroup)
                }
            )
        }
        #expect(units?.reason == "Units cannot be excluded")
        let users = #expect(throws: CaptureRefused.self) {
            try CaptureRules.plan(
                for: self.spec {
                    $0.failClosed = true
                    $0.failClosedUsers = [UserID(1)]
                    $0.features.present.remove(.reject)
                }
            )
        }
        #expect(users?.missing == .reject)
    }

    @Test(arguments: [
        (KernelFeature.owner, 1), (.persist, 0), (.natV6, 1), (.concatenation, 0), (.tproxy, 1), (.tproxyV6, 1),
        (.fib, 1),
        (.socketCgroup, 1), (.socketTransparent, 1), (.conntrack, 2), (.routeChain, 1), (.reject, 1), (.ipv6, 2),
    ])
    func otherGapsCostOneSentenceEach(lacking: KernelFeature, sentences: Int) throws {
        let plan = try CaptureRules.plan(
            for: spec {
                $0.failClosed = true
                $0.ownCgroup = CgroupReference(level: 2, id: CgroupID(5))
                $0.features.present.remove(lacking)
            }
        )
        #expect(plan.degraded.count == sentences, "\(plan.degraded)")
        #expect(plan.degraded.allSatisfy { $0.hasSuffix(lacking.requirement) })
    }

    @Test func completeKernelLosesNothing() throws {
        #expect(try CaptureRules.plan(for: spec { $0.failClosed = true }).degraded == [])
    }
}

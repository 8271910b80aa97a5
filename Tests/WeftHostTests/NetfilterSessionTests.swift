import Glibc
import Testing
import WeftCapture
import WeftCore
import WeftHost

/// What the kernel does with the session's transactions, in namespaces of their own.
@Suite(.serialized)
struct NetfilterSessionTests {
    let host: TestNamespace

    init() throws { host = try TestNamespace("host") }

    @Test func probeFindsThisKernelCompleteAndLeavesNothing() throws {
        let features = try host.run { try NetfilterSession().probe() }
        #expect(features.missing == [])
        #expect(try listing() == "")
    }

    @Test func probeSeesThatIPv6IsOff() throws {
        try host.shell("echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6")
        #expect(try host.run { try NetfilterSession().probe() }.missing == [.ipv6])
    }

    @Test(arguments: [CaptureSpec.Scope.all, .mesh])
    func kernelHoldsWhatTheTextSays(scope: CaptureSpec.Scope) throws {
        let ruleset = try rules {
            $0.scope = scope
            $0.meshDestinations = [NetworkAddress(.v4(0x0a01_0203), port: 80)]
            $0.capturesLocal = true
            $0.failClosed = true
            $0.failClosedUsers = [UserID(1234)]
            $0.excludedUsers = [UserID(77)]
            $0.excludedCgroups = [CgroupReference(level: 5, id: CgroupID(0))]
            $0.inboundSkippedInterfaces = Set([InterfaceName("br0")].compactMap { $0 })
        }
        let session = try session()
        try session.apply(ruleset)
        for table in ruleset.tables {
            // An id that no directory has is shown as a number by newer versions of nft, and not at all by older ones.
            let shown = try host.shell("nft -y list table inet \(table.name)").replacing("elements = { 0 }", with: "")
            #expect(normalized(shown) == normalized(table.description.replacing("elements = { 0 }", with: "")))
        }
        #expect(try session.isInstalled())
        #expect(try session.installedRuleCount() == ruleset.ruleCount)
    }

    @Test func applyTwiceIsTheSameAsOnce() throws {
        let session = try session()
        try session.apply(try rules())
        let once = try listing()
        try session.apply(try rules())
        #expect(try listing() == once)
    }

    @Test func applyTakesAwayTablesThatAreNoLongerWanted() throws {
        let session = try session()
        try session.apply(
            try rules {
                $0.failClosed = true
                $0.failClosedUsers = [UserID(5)]
            }
        )
        #expect(try tables() == ["weft", "weft_closed", "weft_keep"])
        try session.apply(try rules())
        #expect(try tables() == ["weft", "weft_keep"])
    }

    @Test func secondSessionIsRefusedAndChangesNothing() throws {
        let first = try session()
        try first.apply(try rules())
        let before = try listing()
        let second = try session()
        for attempt in [{ try second.apply(self.rules()) }, { try second.remove() }] {
            let error = #expect(throws: NetfilterError.self) { try attempt() }
            #expect(error?.cause == .ownedByAnother)
            #expect(error?.reason.contains("table inet weft") == true)
        }
        #expect(try listing() == before)
    }

    @Test func ownerGoneTakesTheRulesAndLeavesNATAlive() throws {
        var session: NetfilterSession? = try session()
        try session?.apply(try rules())
        session = nil
        try eventually("the table goes with its owner") { try tables() == ["weft_keep"] }
        let next = try self.session()
        #expect(try !next.isInstalled())
        try next.apply(try rules())
        #expect(try tables() == ["weft", "weft_keep"])
        #expect(try next.isInstalled())
        try next.remove()
        #expect(try listing() == "")
    }

    @Test func adoptedDescriptorGoesOnWithoutAGap() throws {
        var first: NetfilterSession? = try session()
        try first?.apply(try rules())
        let stored = fcntl(try #require(first?.descriptor), F_DUPFD_CLOEXEC, 0)
        first = nil
        #expect(try tables() == ["weft", "weft_keep"])
        let second = try NetfilterSession(adopting: stored)
        #expect(try second.update(to: rules { $0.excludedPorts = [PortRange(9)] }) == .replace)
        #expect(try second.isInstalled())
        #expect(try listing().contains("elements = { 9, 22 }"))
        try second.remove()
        #expect(try listing() == "")
    }

    @Test func adoptingSomethingElseFails() throws {
        let error = #expect(throws: NetfilterError.self) {
            try NetfilterSession(adopting: open("/dev/null", O_RDONLY | O_CLOEXEC))
        }
        #expect(error?.operation == "adopting a netfilter socket")
    }

    @Test func changedElementsLeaveTheRulesAlone() throws {
        let session = try session()
        try session.apply(
            try rules {
                $0.excludedAddresses = ["10.0.0.0/24", "10.0.1.0/24", "10.9.0.0/16"].compactMap(IPPrefix.init)
            }
        )
        let handles = try host.shell("nft -a list chain inet weft out_nat")
        let target = try rules {
            $0.excludedAddresses = ["10.0.0.0/25", "10.0.2.0/24", "10.9.0.0/16"].compactMap(IPPrefix.init)
            $0.inboundPorts = [8000, 9000]
            $0.excludedUsers = [UserID(7)]
        }
        guard case .elements = try session.update(to: target) else {
            Issue.record("a change of elements should not replace the rules")
            return
        }
        #expect(try host.shell("nft -a list chain inet weft out_nat") == handles)
        let elements = try host.shell("nft list set inet weft skip_v4").filter { !$0.isWhitespace }
        #expect(
            elements.contains(
                "elements={10.0.0.0/25,10.0.2.0/24,10.9.0.0/16,169.254.0.0/16,224.0.0.0/4,255.255.255.255}"
            )
        )
        #expect(try session.update(to: target) == .none)
        #expect(try session.isInstalled())
    }

    @Test func elementsThatTheKernelRefusesLeadToAReplacement() throws {
        let session = try session()
        let withUser = try rules { $0.excludedUsers = [UserID(7)] }
        try session.apply(withUser)
        guard case .elements(let changes) = RulesetDifference(from: withUser, to: try rules()) else {
            Issue.record("an excluded user should be an element")
            return
        }
        // Taken away behind the back of what the session believes to be there.
        try session.apply(changes)
        let error = #expect(throws: NetfilterError.self) { try session.apply(changes) }
        #expect(error?.refusals.map(\.message) == ["deletion of elements of set weft skip_users { 7 }"])
        #expect(try session.update(to: rules()) == .replace)
    }

    @Test func twentyThousandRangesArriveWhole() throws {
        let session = try session()
        let prefixes = (0..<20_000).compactMap { IPPrefix(.v4(0x0a00_0000 + UInt32($0) * 512), length: 24) }
        let wide = (0..<2_000).compactMap {
            IPPrefix(.v6(high: 0x2001_0db8_0000_0000 + UInt64($0) * 2, low: 0), length: 64)
        }
        try session.apply(try rules { $0.excludedAddresses = prefixes + wide })
        let stored = try host.shell("nft list set inet weft skip_v4")
        #expect(stored.split(separator: ",").count == 20_003)
        #expect(try host.shell("nft list set inet weft skip_v6").split(separator: ",").count == 2_003)
    }

    @Test func moreThanATransactionMayCarryIsRefused() throws {
        let session = try session()
        try session.apply(try rules())
        let many = (0..<150_000).compactMap { IPPrefix(.v4(0x0a00_0000 + UInt32($0) * 2), length: 32) }
        let error = #expect(throws: NetfilterError.self) {
            try session.apply(self.rules { $0.excludedAddresses = many })
        }
        #expect(error?.cause == .tooLarge)
        #expect(try session.isInstalled())
    }

    @Test func errorNamesTheRefusedRuleAndNothingIsApplied() throws {
        let chain = Chain(
            name: "out",
            kind: .filter,
            hook: .output,
            priority: 0,
            rules: [Rule(.tcp, .counter), Rule(.portIn("no_such_set"), .counter, .verdict(.return))]
        )
        let session = try session()
        let error = #expect(throws: NetfilterError.self) {
            try session.apply(Ruleset(tables: [Table(name: "weft", flags: .owner, chains: [chain])]))
        }
        #expect(error?.refusals.map(\.message) == ["rule weft out tcp dport @no_such_set counter return"])
        #expect(error?.description.contains("ENOENT") == true)
        #expect(error?.cause == .unsupported)
        #expect(try listing() == "")
    }

    @Test func leftoversWithoutAnOwnerAreReplaced() throws {
        try host.shell("nft add table inet weft '{ chain x { type filter hook input priority 0; }; }'")
        try host.shell("nft add table inet weft_keep")
        let session = try session()
        try session.apply(try rules())
        #expect(try session.isInstalled())
        #expect(try !listing().contains("chain x"))
    }

    @Test func kernelsWithoutOwnersGetPlainTables() throws {
        let session = try session()
        try session.apply(try rules { $0.features.present.subtract([.owner, .persist]) })
        #expect(try session.isInstalled())
        #expect(try !listing().contains("owner"))
        try host.shell(
            """
            last=$(nft -a list chain inet weft out_nat | grep -o 'handle [0-9]*$' | tail -1)
            nft delete rule inet weft out_nat $last
            """
        )
        #expect(try !session.isInstalled())
        try session.apply(try rules { $0.features.present.subtract([.owner, .persist]) })
        #expect(try session.isInstalled())
        try host.shell("nft flush ruleset")
        #expect(try !session.isInstalled())
    }

    @Test func flushByOthersLeavesOwnedTables() throws {
        let session = try session()
        try session.apply(try rules())
        try host.shell("nft flush ruleset")
        #expect(try session.isInstalled())
    }

    // MARK: Helpers

    private func session() throws -> NetfilterSession { try host.run { try NetfilterSession() } }

    private func rules(_ change: (inout CaptureSpec) -> Void = { _ in }) throws -> Ruleset {
        var spec = CaptureSpec()
        spec.inboundPorts = [8000]
        change(&spec)
        return try CaptureRules.ruleset(for: spec)
    }

    private func listing() throws -> String { try host.shell("nft list ruleset") }

    private func tables() throws -> [String] {
        try host.shell("nft list tables").split(separator: "\n").compactMap { $0.split(separator: " ").last }
            .map(String.init).sorted()
    }

    /// Without layout, counters' values, and the table's first lines, where nft writes flags in its own way.
    private func normalized(_ text: String) -> String {
        text.split(separator: "\n").dropFirst().filter { !$0.hasPrefix("\tflags") }.joined(separator: " ")
            .replacing(/counter packets \d+ bytes \d+/, with: "counter").split(separator: /\s+/).joined(separator: " ")
    }
}

internal import Glibc
package import WeftCapture
internal import WeftCore

extension NetfilterSession {
    /// Finds out what this kernel can do, by a transaction that is checked in full and never applied: nothing appears,
    /// not even for a moment, and nothing is left behind. Missing modules are loaded by the kernel on the way.
    ///
    /// - Throws: only when nothing can be found out, as without CAP_NET_ADMIN.
    package func probe() throws(NetfilterError) -> KernelFeatures {
        let operation = "probing the kernel"
        var batch = newBatch()
        var decides: [Int: KernelFeature] = [:]
        let table = "weft_probe_\(connection.portID)"
        batch.add(table: table, flags: [])
        for trial in ProbeTrial.all {
            let first = batch.messages.count
            switch trial.form {
            case .table(let suffix, let flags): batch.add(table: table + suffix, flags: flags)
            case .set(let set, let id): batch.add(set, id: id, table: table)
            case .chain(let chain): batch.add(chain, table: table)
            case .rule(let rule, let chain): batch.add(rule, chain: chain, table: table)
            }
            for index in first..<batch.messages.count { decides[index] = trial.feature }
        }
        let refusals = try send(batch, operation)
        if let whole = refusals.first(where: { decides[$0.index] == nil }) {
            throw NetfilterError(operation: operation, refusals: [whole.refusal], isWhole: whole.index == 0)
        }
        let missing = Set(refusals.compactMap { decides[$0.index] })
        var features = KernelFeatures(Set(KernelFeature.allCases).subtracting(missing))
        if !isIPv6On() { features.present.remove(.ipv6) }
        return features
    }

    /// Whether `lo` takes IPv6 addresses: the outbound listener needs one there.
    private func isIPv6On() -> Bool {
        let descriptor = open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var digit: UInt8 = 0
        return read(descriptor, &digit, 1) == 1 && digit == UInt8(ascii: "0")
    }
}

/// One thing that is tried, and the feature that fails with it. A chain that fails takes its rules along.
private struct ProbeTrial {
    enum Form {
        case table(suffix: String, TableFlags)
        case set(NamedSet, id: UInt32)
        case chain(Chain)
        case rule(Rule, chain: String)
    }

    let feature: KernelFeature
    let form: Form

    init(_ feature: KernelFeature, _ form: Form) {
        self.feature = feature
        self.form = form
    }

    static let all: [ProbeTrial] =
        [
            ProbeTrial(.owner, .table(suffix: "o", .owner)),
            ProbeTrial(.persist, .table(suffix: "p", [.owner, .persist])),
            ProbeTrial(.intervals, .set(NamedSet("ranges", .portRanges), id: 1)),
            ProbeTrial(.concatenation, .set(NamedSet("endpoints", .endpoints(.v4)), id: 2)),
            ProbeTrial(.concatenation, .rule(Rule(.endpointIn(.v4, "endpoints")), chain: "output")),
            ProbeTrial(.socketCgroup, .set(NamedSet("cgroups", .cgroups), id: 3)),
            ProbeTrial(.socketCgroup, .rule(Rule(.cgroupIn("cgroups", level: 2)), chain: "output")),
            ProbeTrial(.redirect, .rule(Rule(.tcp, .redirect(port: 1)), chain: "nat")),
            ProbeTrial(
                .natV6,
                .rule(Rule(.family(.v6), .tcp, .destinationNAT(NetworkAddress(.loopbackV6, port: 1))), chain: "nat")
            ),
            ProbeTrial(.tproxy, .rule(tproxy(.loopbackV4), chain: "prerouting")),
            ProbeTrial(.tproxyV6, .rule(tproxy(.loopbackV6), chain: "prerouting")),
            ProbeTrial(.fib, .rule(Rule(.destinationIsNotLocal), chain: "prerouting")),
            ProbeTrial(.socketTransparent, .rule(Rule(.notTransparent), chain: "input")),
            ProbeTrial(.reject, .rule(Rule(.tcp, .rejectWithReset), chain: "input")),
            ProbeTrial(.reject, .rule(Rule(.tcp, .rejectWithReset), chain: "output")),
            ProbeTrial(.conntrack, .rule(Rule(.invalidState), chain: "output")),
            ProbeTrial(.conntrack, .rule(Rule(.replyDirection, .connectionMark(1), .setMark(1)), chain: "output")),
            ProbeTrial(.conntrack, .rule(Rule(.mark(1), .setConnectionMark(1)), chain: "output")),
        ].chainsFirst

    private static func tproxy(_ address: IPAddress) -> Rule {
        Rule(.family(address.family), .tcp, .transparentProxy(NetworkAddress(address, port: 1)), .verdict(.accept))
    }
}

extension [ProbeTrial] {
    /// Puts the chains between the sets and the rules. Those of plain filtering are as old as nf_tables; they count for
    /// the feature that nothing works without.
    fileprivate var chainsFirst: [ProbeTrial] {
        let chains = [
            ProbeTrial(.nat, .chain(Chain(name: "nat", kind: .nat, hook: .output, priority: -101))),
            ProbeTrial(.nat, .chain(Chain(name: "prerouting", kind: .filter, hook: .prerouting, priority: -99))),
            ProbeTrial(.nat, .chain(Chain(name: "input", kind: .filter, hook: .input, priority: -1))),
            ProbeTrial(.nat, .chain(Chain(name: "output", kind: .filter, hook: .output, priority: 0))),
            ProbeTrial(.routeChain, .chain(Chain(name: "route", kind: .route, hook: .output, priority: -150))),
        ]
        return chains + self
    }
}

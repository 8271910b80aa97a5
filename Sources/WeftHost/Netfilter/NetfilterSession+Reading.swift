internal import CNetfilter
internal import CWeftLinux
internal import Glibc
internal import WeftCapture

/// A table of weft's as the kernel has it.
struct KernelTable: Equatable {
    let name: String
    /// NFT_TABLE_F_*
    let flags: UInt32
    /// The netlink port of the socket that owns it; nil for a table that is anyone's.
    let owner: UInt32?
}

extension NetfilterSession {
    /// How many rules of weft's the kernel holds, in all of weft's tables.
    package func installedRuleCount() throws(NetfilterError) -> Int {
        try installedRuleCounts().values.reduce(0, +)
    }

    /// Whether the kernel still holds what this session installed: each table, in this session's hands where it should
    /// be, with as many rules. False before the first `apply`.
    package func isInstalled() throws(NetfilterError) -> Bool {
        guard let installed else { return false }
        let tables = try readTables("reading the capture rules back")
        guard tables.count == installed.tables.count else { return false }
        let counts = try installedRuleCounts()
        return installed.tables.allSatisfy { wanted in
            guard let found = tables.first(where: { $0.name == wanted.name }) else { return false }
            let isHeld = !wanted.flags.contains(.owner) || found.owner == connection.portID
            return isHeld && counts[wanted.name, default: 0] == wanted.ruleCount
        }
    }

    /// Weft's tables, by their names.
    func readTables(_ operation: String) throws(NetfilterError) -> [KernelTable] {
        try dump(NFT_MSG_GETTABLE, family: NFPROTO_INET, operation) { header in
            guard let table = nftnl_table_alloc() else { return nil }
            defer { nftnl_table_free(table) }
            guard nftnl_table_nlmsg_parse(header, table) >= 0,
                let name = nftnl_table_get_str(table, UInt16(NFTNL_TABLE_NAME.rawValue)).map({ String(cString: $0) }),
                Table.Name.all.contains(name)
            else { return nil }
            let isOwned = nftnl_table_is_set(table, UInt16(NFTNL_TABLE_OWNER.rawValue))
            return KernelTable(
                name: name,
                flags: nftnl_table_get_u32(table, UInt16(NFTNL_TABLE_FLAGS.rawValue)),
                owner: isOwned ? nftnl_table_get_u32(table, UInt16(NFTNL_TABLE_OWNER.rawValue)) : nil
            )
        }
    }

    private func installedRuleCounts() throws(NetfilterError) -> [String: Int] {
        let names = try dump(NFT_MSG_GETRULE, family: NFPROTO_INET, "counting the capture rules") { header in
            guard let rule = nftnl_rule_alloc() else { return Optional<String>.none }
            defer { nftnl_rule_free(rule) }
            guard nftnl_rule_nlmsg_parse(header, rule) >= 0 else { return nil }
            return nftnl_rule_get_str(rule, UInt16(NFTNL_RULE_TABLE.rawValue)).map { String(cString: $0) }
        }
        return names.reduce(into: [:]) { if Table.Name.all.contains($1) { $0[$1, default: 0] += 1 } }
    }

    /// Reads all objects of a kind, again if they changed meanwhile.
    ///
    /// - Parameter family: NFPROTO_*; NFPROTO_UNSPEC for all families.
    func dump<Value>(
        _ type: nf_tables_msg_types,
        family: Int,
        _ operation: String,
        _ parse: (UnsafePointer<nlmsghdr>) -> Value?
    ) throws(NetfilterError) -> [Value] {
        let attempts = 8
        var values: [Value] = []
        for attempt in 1...attempts {
            values = []
            let sequence = connection.takeSequence()
            do {
                let request = dumpRequest(type, family: family, sequence: sequence)
                let isConsistent = try connection.dump(request, sequence: sequence) { answer in
                    guard let base = answer.bytes.baseAddress else { return }
                    if let value = parse(base.assumingMemoryBound(to: nlmsghdr.self)) { values.append(value) }
                }
                // Somebody who changes rules all the time must not keep weft from reading its own.
                if isConsistent || attempt == attempts { return values }
            } catch {
                guard error.code == EINTR, attempt < attempts else {
                    throw NetfilterError(operation: operation, failure: error)
                }
            }
        }
        return values
    }

    private func dumpRequest(_ type: nf_tables_msg_types, family: Int, sequence: UInt32) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 64)
        _ = nftnl_nlmsg_build_hdr(
            &buffer,
            UInt16(type.rawValue),
            UInt16(family),
            UInt16(NLM_F_ROOT | NLM_F_MATCH),
            sequence
        )
        return buffer.prefix(NetlinkAnswer.headerLength + 4).map { UInt8(bitPattern: $0) }
    }
}

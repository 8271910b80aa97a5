internal import CNetfilter
internal import CWeftLinux
internal import WeftCapture

/// One transaction of nf_tables under construction: the messages, and what each of them is for people.
///
/// The kernel applies all of it or nothing. Without `end` it checks everything and applies nothing, which is how
/// `nft --check` and probing work.
struct NetfilterBatch: ~Copyable {
    private(set) var bytes: [UInt8] = []
    /// What the messages are, in order: the first is the batch's beginning. A message's number is `firstSequence` and
    /// its index here.
    private(set) var messages: [String] = []
    let firstSequence: UInt32
    private let scratch: UnsafeMutableRawPointer

    /// Room for one message. The longest holds 500 ranges of IPv6 addresses and takes 36 KiB.
    private static let messageCapacity = 1 << 17
    /// The list of elements is one attribute with a length of 16 bits, which libmnl does not check.
    private static let elementsPerMessage = 500
    /// About 100 000 ranges of IPv4 addresses.
    static let bytesMax = 1 << 22
    /// So many numbers are set aside for one batch.
    static let messagesMax: UInt32 = 1 << 20

    init(firstSequence: UInt32) {
        self.firstSequence = firstSequence
        scratch = .allocate(byteCount: Self.messageCapacity, alignment: 16)
        add("transaction") { buffer, sequence in
            nftnl_batch_begin(buffer, sequence)
        }
    }

    deinit { scratch.deallocate() }

    /// Closes the transaction, so that the kernel applies it.
    mutating func end() {
        add("end of transaction") { buffer, sequence in
            nftnl_batch_end(buffer, sequence)
        }
    }

    /// Creates a table, or adopts it when it is this socket's or nobody's.
    mutating func add(table name: String, flags: TableFlags) {
        let text = flags.isEmpty ? "table inet \(name)" : "table inet \(name) with flags \(flags.rawValue)"
        add(text, NFT_MSG_NEWTABLE, flags: NLM_F_CREATE) { message in
            withTable(name) { table in
                if !flags.isEmpty { nftnl_table_set_u32(table, UInt16(NFTNL_TABLE_FLAGS.rawValue), flags.rawValue) }
                nftnl_table_nlmsg_build_payload(message, table)
            }
        }
    }

    /// Deletes a table with all that is in it.
    mutating func delete(table name: String) {
        add("deletion of table inet \(name)", NFT_MSG_DELTABLE, flags: 0) { message in
            withTable(name) { nftnl_table_nlmsg_build_payload(message, $0) }
        }
    }

    /// Adds a table and everything in it.
    mutating func add(_ table: Table) {
        add(table: table.name, flags: table.flags)
        for (index, set) in table.sets.enumerated() { add(set, id: UInt32(index + 1), table: table.name) }
        for chain in table.chains { add(chain, table: table.name) }
        for chain in table.chains {
            for rule in chain.rules { add(rule, chain: chain.name, table: table.name) }
        }
        for set in table.sets { add(set.elements, set: set.name, kind: set.kind, table: table.name) }
    }

    /// - Parameter id: unique in the transaction among the table's sets.
    mutating func add(_ set: NamedSet, id: UInt32, table: String) {
        add("set \(table) \(set.name)", NFT_MSG_NEWSET, flags: NLM_F_CREATE) { message in
            withSet(set.name, table: table) { object in
                nftnl_set_set_u32(
                    object,
                    UInt16(NFTNL_SET_FLAGS.rawValue),
                    set.kind.isInterval ? NFT_SET_INTERVAL.rawValue : 0
                )
                nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_TYPE.rawValue), set.kind.typeNumber)
                nftnl_set_set_u32(object, UInt16(NFTNL_SET_KEY_LEN.rawValue), set.kind.keyLength)
                nftnl_set_set_u32(object, UInt16(NFTNL_SET_ID.rawValue), id)
                // Tells nft the byte order of keys: type 0, 4 bytes, 1 for host order and 2 for network order.
                let order: UInt32 = set.kind.isHostOrder ? 1 : 2
                let hint: [UInt8] = [0, 4] + withUnsafeBytes(of: order) { Array($0) }
                nftnl_set_set_data(object, UInt16(NFTNL_SET_USERDATA.rawValue), hint, UInt32(hint.count))
                nftnl_set_nlmsg_build_payload(message, object)
            }
        }
    }

    mutating func add(_ chain: Chain, table: String) {
        add("chain \(table) \(chain.name)", NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE) { message in
            guard let object = nftnl_chain_alloc() else { return }
            defer { nftnl_chain_free(object) }
            nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), table)
            nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name)
            nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), chain.kind.rawValue)
            nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), chain.hook.rawValue)
            nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), chain.priority)
            nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), UInt32(NF_ACCEPT))
            nftnl_chain_nlmsg_build_payload(message, object)
        }
    }

    /// Appends a rule to a chain.
    mutating func add(_ rule: Rule, chain: String, table: String) {
        let flags = NLM_F_CREATE | NLM_F_APPEND
        add("rule \(table) \(chain) \(rule.text)", NFT_MSG_NEWRULE, flags: flags) { message in
            guard let object = nftnl_rule_alloc() else { return }
            // Frees the expressions as well.
            defer { nftnl_rule_free(object) }
            nftnl_rule_set_u32(object, UInt16(NFTNL_RULE_FAMILY.rawValue), UInt32(NFPROTO_INET))
            nftnl_rule_set_str(object, UInt16(NFTNL_RULE_TABLE.rawValue), table)
            nftnl_rule_set_str(object, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
            for expression in rule.expressions {
                if let encoded = expression.encoded() { nftnl_rule_add_expr(object, encoded) }
            }
            nftnl_rule_nlmsg_build_payload(message, object)
        }
    }

    mutating func add(_ elements: [SetElement], set: String, kind: NamedSet.Kind, table: String) {
        for chunk in elements.chunked(by: Self.elementsPerMessage) {
            add(describe("elements", chunk, table, set), NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE) { message in
                put(chunk, set: set, kind: kind, table: table, into: message)
            }
        }
    }

    mutating func delete(_ elements: [SetElement], set: String, kind: NamedSet.Kind, table: String) {
        for chunk in elements.chunked(by: Self.elementsPerMessage) {
            add(describe("deletion of elements", chunk, table, set), NFT_MSG_DELSETELEM, flags: 0) { message in
                put(chunk, set: set, kind: kind, table: table, into: message)
            }
        }
    }

    // MARK: Messages

    private mutating func add(
        _ text: String,
        _ type: nf_tables_msg_types,
        flags: Int32,
        build: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) {
        add(text) { buffer, sequence in
            let header = nftnl_nlmsg_build_hdr(
                buffer,
                UInt16(type.rawValue),
                UInt16(NFPROTO_INET),
                UInt16(flags),
                sequence
            )
            if let header { build(header) }
            return header
        }
    }

    private mutating func add(
        _ text: String,
        build: (UnsafeMutablePointer<CChar>, UInt32) -> UnsafeMutablePointer<nlmsghdr>?
    ) {
        let buffer = scratch.bindMemory(to: CChar.self, capacity: Self.messageCapacity)
        guard let header = build(buffer, firstSequence &+ UInt32(messages.count)) else {
            preconditionFailure("libnftnl built no header for \(text)")
        }
        let length = Int(header.pointee.nlmsg_len)
        precondition(length <= Self.messageCapacity, "\(text) has \(length) bytes")
        messages.append(text)
        bytes += UnsafeRawBufferPointer(start: scratch, count: length)
        bytes += repeatElement(0, count: -length & 3)
    }
}

private func describe(_ what: String, _ elements: ArraySlice<SetElement>, _ table: String, _ set: String) -> String {
    let shown = elements.prefix(4).map(\.text).joined(separator: ", ")
    return "\(what) of set \(table) \(set) { \(shown)\(elements.count > 4 ? ", ... \(elements.count) in all" : "") }"
}

extension Array {
    fileprivate func chunked(by size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min(count, $0 + size)] }
    }
}

internal import CNetfilter
internal import CWeftLinux
internal import WeftCapture
internal import WeftCore

/// Runs `body` with a libnftnl table object that exists for the call.
func withTable(_ name: String, _ body: (OpaquePointer) -> Void) {
    guard let table = nftnl_table_alloc() else { return }
    defer { nftnl_table_free(table) }
    nftnl_table_set_u32(table, UInt16(NFTNL_TABLE_FAMILY.rawValue), UInt32(NFPROTO_INET))
    nftnl_table_set_str(table, UInt16(NFTNL_TABLE_NAME.rawValue), name)
    body(table)
}

/// Runs `body` with a libnftnl set object that exists for the call, and frees the elements that were added to it.
func withSet(_ name: String, table: String, _ body: (OpaquePointer) -> Void) {
    guard let set = nftnl_set_alloc() else { return }
    defer { nftnl_set_free(set) }
    nftnl_set_set_str(set, UInt16(NFTNL_SET_TABLE.rawValue), table)
    nftnl_set_set_str(set, UInt16(NFTNL_SET_NAME.rawValue), name)
    nftnl_set_set_u32(set, UInt16(NFTNL_SET_FAMILY.rawValue), UInt32(NFPROTO_INET))
    body(set)
}

/// Writes elements into a message. A range is two: its first key, and the key after its last, marked as an end.
func put(
    _ elements: ArraySlice<SetElement>,
    set name: String,
    kind: NamedSet.Kind,
    table: String,
    into message: UnsafeMutablePointer<nlmsghdr>
) {
    func append(_ key: [UInt8], isEnd: Bool, to set: OpaquePointer) {
        guard let element = nftnl_set_elem_alloc() else { return }
        nftnl_set_elem_set(element, UInt16(NFTNL_SET_ELEM_KEY), key, UInt32(key.count))
        if isEnd {
            nftnl_set_elem_set_u32(
                element,
                UInt16(NFTNL_SET_ELEM_FLAGS),
                UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue)
            )
        }
        nftnl_set_elem_add(set, element)
    }
    withSet(name, table: table) { set in
        for element in elements {
            append(element.key, isEnd: false, to: set)
            if kind.isInterval, let end = element.keyAfter { append(end, isEnd: true, to: set) }
        }
        nftnl_set_elems_nlmsg_build_payload(message, set)
    }
}

extension WeftCapture.Expression {
    /// The expression as a libnftnl object, which the rule that it is added to will free. Nil only without memory.
    func encoded() -> OpaquePointer? {
        guard let object = nftnl_expr_alloc(kernelName) else { return nil }
        switch self {
        case .meta(let key, let register):
            object.set(NFTNL_EXPR_META_KEY, key.number)
            object.set(NFTNL_EXPR_META_DREG, register.number)
        case .setMetaMark(let register):
            object.set(NFTNL_EXPR_META_KEY, NFT_META_MARK.rawValue)
            object.set(NFTNL_EXPR_META_SREG, register.number)
        case .socket(let key, let register):
            if case .cgroup(let level) = key { object.set(NFTNL_EXPR_SOCKET_LEVEL, UInt32(level)) }
            object.set(NFTNL_EXPR_SOCKET_KEY, key.number)
            object.set(NFTNL_EXPR_SOCKET_DREG, register.number)
        case .payload(let base, let offset, let length, let register):
            object.set(NFTNL_EXPR_PAYLOAD_BASE, base.number)
            object.set(NFTNL_EXPR_PAYLOAD_OFFSET, offset)
            object.set(NFTNL_EXPR_PAYLOAD_LEN, length)
            object.set(NFTNL_EXPR_PAYLOAD_DREG, register.number)
        case .mask(let register, let mask):
            object.set(NFTNL_EXPR_BITWISE_SREG, register.number)
            object.set(NFTNL_EXPR_BITWISE_DREG, register.number)
            object.set(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
            object.set(NFTNL_EXPR_BITWISE_MASK, mask)
            object.set(NFTNL_EXPR_BITWISE_XOR, [UInt8](repeating: 0, count: mask.count))
        case .compare(let register, let comparison, let data):
            object.set(NFTNL_EXPR_CMP_SREG, register.number)
            object.set(NFTNL_EXPR_CMP_OP, (comparison == .equal ? NFT_CMP_EQ : NFT_CMP_NEQ).rawValue)
            object.set(NFTNL_EXPR_CMP_DATA, data)
        case .lookup(let register, let set, let inverted):
            object.set(NFTNL_EXPR_LOOKUP_SREG, register.number)
            nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_LOOKUP_SET), set)
            if inverted { object.set(NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV.rawValue) }
        case .destinationKind(let register):
            object.set(NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR.rawValue)
            object.set(NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE.rawValue)
            object.set(NFTNL_EXPR_FIB_DREG, register.number)
        case .conntrack(let key, let register):
            object.set(NFTNL_EXPR_CT_KEY, key.number)
            object.set(NFTNL_EXPR_CT_DREG, register.number)
        case .setConntrackMark(let register):
            object.set(NFTNL_EXPR_CT_KEY, NFT_CT_MARK.rawValue)
            object.set(NFTNL_EXPR_CT_SREG, register.number)
        case .immediate, .verdict, .counter, .redirect, .destinationNAT, .transparentProxy, .rejectWithReset:
            encodeAction(into: object)
        }
        return object
    }

    private func encodeAction(into object: OpaquePointer) {
        switch self {
        case .immediate(let data, let register):
            object.set(NFTNL_EXPR_IMM_DREG, register.number)
            object.set(NFTNL_EXPR_IMM_DATA, data)
        case .verdict(let verdict):
            object.set(NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT.rawValue)
            object.set(NFTNL_EXPR_IMM_VERDICT, verdict.number)
        case .redirect(let port):
            object.set(NFTNL_EXPR_REDIR_REG_PROTO_MIN, port.number)
            object.set(NFTNL_EXPR_REDIR_FLAGS, 2)  // NF_NAT_RANGE_PROTO_SPECIFIED
        case .destinationNAT(let family, let address, let port):
            object.set(NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT.rawValue)
            object.set(NFTNL_EXPR_NAT_FAMILY, family == .v4 ? UInt32(NFPROTO_IPV4) : UInt32(NFPROTO_IPV6))
            object.set(NFTNL_EXPR_NAT_REG_ADDR_MIN, address.number)
            object.set(NFTNL_EXPR_NAT_REG_PROTO_MIN, port.number)
            object.set(NFTNL_EXPR_NAT_FLAGS, 3)  // NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED
        case .transparentProxy(let family, let address, let port):
            object.set(NFTNL_EXPR_TPROXY_FAMILY, family == .v4 ? UInt32(NFPROTO_IPV4) : UInt32(NFPROTO_IPV6))
            object.set(NFTNL_EXPR_TPROXY_REG_ADDR, address.number)
            object.set(NFTNL_EXPR_TPROXY_REG_PORT, port.number)
        case .rejectWithReset:
            object.set(NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST.rawValue)
            nftnl_expr_set_u8(object, UInt16(NFTNL_EXPR_REJECT_CODE), 0)
        default:
            break  // A counter has no attributes; the rest is not an action.
        }
    }

    private var kernelName: String {
        switch self {
        case .meta, .setMetaMark: "meta"
        case .socket: "socket"
        case .payload: "payload"
        case .mask: "bitwise"
        case .compare: "cmp"
        case .lookup: "lookup"
        case .destinationKind: "fib"
        case .conntrack, .setConntrackMark: "ct"
        case .immediate, .verdict: "immediate"
        case .counter: "counter"
        case .redirect: "redir"
        case .destinationNAT: "nat"
        case .transparentProxy: "tproxy"
        case .rejectWithReset: "reject"
        }
    }
}

extension OpaquePointer {
    fileprivate func set(_ attribute: Int, _ value: UInt32) { nftnl_expr_set_u32(self, UInt16(attribute), value) }

    fileprivate func set(_ attribute: Int, _ value: [UInt8]) {
        nftnl_expr_set(self, UInt16(attribute), value, UInt32(value.count))
    }
}

extension MetaKey {
    fileprivate var number: UInt32 {
        switch self {
        case .mark: NFT_META_MARK.rawValue
        case .inputInterface: NFT_META_IIF.rawValue
        case .outputInterface: NFT_META_OIF.rawValue
        case .inputInterfaceName: NFT_META_IIFNAME.rawValue
        case .transportProtocol: NFT_META_L4PROTO.rawValue
        case .family: NFT_META_NFPROTO.rawValue
        case .user: NFT_META_SKUID.rawValue
        }
    }
}

extension SocketKey {
    fileprivate var number: UInt32 {
        switch self {
        case .transparent: NFT_SOCKET_TRANSPARENT.rawValue
        case .cgroup: NFT_SOCKET_CGROUPV2.rawValue
        }
    }
}

extension PayloadBase {
    fileprivate var number: UInt32 {
        switch self {
        case .network: NFT_PAYLOAD_NETWORK_HEADER.rawValue
        case .transport: NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
        }
    }
}

extension ConntrackKey {
    fileprivate var number: UInt32 {
        switch self {
        case .state: NFT_CT_STATE.rawValue
        case .direction: NFT_CT_DIRECTION.rawValue
        case .mark: NFT_CT_MARK.rawValue
        }
    }
}

extension Verdict {
    fileprivate var number: UInt32 {
        switch self {
        case .accept: UInt32(NF_ACCEPT)
        case .return: UInt32(bitPattern: NFT_RETURN.rawValue)
        }
    }
}

internal import CNetfilter
internal import CWeftLinux
internal import WeftCapture

/// Reads a rule of somebody else's, expression by expression, remembering what the last one loaded.
struct ForeignRuleDecoder {
    private enum Loaded {
        case nothing, inputName, outputName, inputIndex, outputIndex, connectionStatus, sourcePort, destinationPort
        case destination
    }

    private static let listenerPort = [
        UInt8(CapturePort.outbound >> 8), UInt8(truncatingIfNeeded: CapturePort.outbound),
    ]

    private(set) var rule = ForeignRule()
    private var loaded = Loaded.nothing
    private var mask: UInt32 = .max

    init(_ object: OpaquePointer) {
        guard let iterator = nftnl_expr_iter_create(object) else { return }
        defer { nftnl_expr_iter_destroy(iterator) }
        while let expression = nftnl_expr_iter_next(iterator) {
            guard let name = nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME)) else { continue }
            read(expression, String(cString: name))
        }
    }

    private mutating func read(_ expression: OpaquePointer, _ name: String) {
        switch name {
        case "meta": readMeta(expression)
        case "ct":
            loaded = expression.number(NFTNL_EXPR_CT_KEY) == NFT_CT_STATUS.rawValue ? .connectionStatus : .nothing
        case "payload": readPayload(expression)
        case "bitwise": mask = expression.bytes(NFTNL_EXPR_BITWISE_MASK).hostNumber
        case "cmp": readComparison(expression)
        case "immediate": readVerdict(expression)
        case "notrack": rule.disablesTracking = true
        case "reject": rule.ending = .drop
        case "target": readTarget(expression)
        case "counter", "log": break
        default: rule.isConditional = true
        }
    }

    private mutating func readMeta(_ expression: OpaquePointer) {
        mask = .max
        guard nftnl_expr_is_set(expression, UInt16(NFTNL_EXPR_META_DREG)) else { return }
        switch expression.number(NFTNL_EXPR_META_KEY) {
        case NFT_META_IIFNAME.rawValue: loaded = .inputName
        case NFT_META_OIFNAME.rawValue: loaded = .outputName
        case NFT_META_IIF.rawValue: loaded = .inputIndex
        case NFT_META_OIF.rawValue: loaded = .outputIndex
        default: loaded = .nothing
        }
    }

    private mutating func readPayload(_ expression: OpaquePointer) {
        mask = .max
        let base = expression.number(NFTNL_EXPR_PAYLOAD_BASE)
        let offset = expression.number(NFTNL_EXPR_PAYLOAD_OFFSET)
        switch (base, offset) {
        case (NFT_PAYLOAD_TRANSPORT_HEADER.rawValue, 0): loaded = .sourcePort
        case (NFT_PAYLOAD_TRANSPORT_HEADER.rawValue, 2): loaded = .destinationPort
        case (NFT_PAYLOAD_NETWORK_HEADER.rawValue, 16): loaded = .destination
        default: loaded = .nothing
        }
    }

    private mutating func readComparison(_ expression: OpaquePointer) {
        rule.isConditional = true
        let isEqual = expression.number(NFTNL_EXPR_CMP_OP) == NFT_CMP_EQ.rawValue
        let data = expression.bytes(NFTNL_EXPR_CMP_DATA)
        let isLoopback = data.prefix { $0 != 0 }.elementsEqual("lo".utf8)
        switch loaded {
        case .inputName: rule.isInputLoopback = rule.isInputLoopback || isEqual && isLoopback
        case .outputName: rule.isOutputLoopback = rule.isOutputLoopback || isEqual && isLoopback
        case .inputIndex: rule.isInputLoopback = rule.isInputLoopback || isEqual && data.hostNumber == 1
        case .outputIndex: rule.isOutputLoopback = rule.isOutputLoopback || isEqual && data.hostNumber == 1
        case .connectionStatus:
            // IPS_DST_NAT; written as `status & dnat != 0`, or as an exact value.
            rule.isTranslated = rule.isTranslated || (mask & 0x20 != 0 && (!isEqual || data.hostNumber & 0x20 != 0))
        case .sourcePort: rule.isListenerAnswer = rule.isListenerAnswer || isEqual && data == Self.listenerPort
        case .destinationPort: rule.isListener = rule.isListener || isEqual && data == Self.listenerPort
        case .destination: rule.isListener = rule.isListener || isEqual && data.first == 127
        case .nothing: break
        }
    }

    private mutating func readVerdict(_ expression: OpaquePointer) {
        guard nftnl_expr_is_set(expression, UInt16(NFTNL_EXPR_IMM_VERDICT)) else { return }
        switch Int32(bitPattern: expression.number(NFTNL_EXPR_IMM_VERDICT)) {
        case NF_ACCEPT: rule.ending = .accept
        case NF_DROP: rule.ending = .drop
        case NFT_JUMP.rawValue, NFT_GOTO.rawValue:
            guard let target = nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_IMM_CHAIN)) else { return }
            rule.ending = .jump(String(cString: target))
        default: rule.ending = .other
        }
    }

    /// A target of iptables-nft.
    private mutating func readTarget(_ expression: OpaquePointer) {
        guard let name = nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_TG_NAME)) else { return }
        switch String(cString: name) {
        case "REJECT": rule.ending = .drop
        case "NOTRACK": rule.disablesTracking = true
        // struct xt_ct_target_info begins with 16 bits of flags; XT_CT_NOTRACK is the lowest.
        case "CT": rule.disablesTracking = expression.bytes(NFTNL_EXPR_TG_INFO).first.map { $0 & 1 != 0 } ?? false
        default: break
        }
    }
}

extension OpaquePointer {
    fileprivate func number(_ attribute: Int) -> UInt32 { nftnl_expr_get_u32(self, UInt16(attribute)) }

    fileprivate func bytes(_ attribute: Int) -> [UInt8] {
        var length: UInt32 = 0
        guard let data = nftnl_expr_get(self, UInt16(attribute), &length) else { return [] }
        return Array(UnsafeRawBufferPointer(start: data, count: Int(length)))
    }
}

extension [UInt8] {
    /// The first four bytes as a number of this machine; 0 when there are fewer.
    fileprivate var hostNumber: UInt32 {
        count < 4 ? 0 : withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    }
}

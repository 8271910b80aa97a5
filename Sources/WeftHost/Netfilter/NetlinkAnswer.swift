internal import CNetfilter
internal import CWeftLinux

/// One message from the kernel, valid during the call that hands it over.
///
/// ```
/// 0      4     6      8     12     16
/// length type  flags  seq   port   payload ...
/// ```
struct NetlinkAnswer {
    /// The whole message with its header, as long as the header says and no longer than what arrived.
    let bytes: UnsafeRawBufferPointer

    static let headerLength = 16

    /// Visits the messages of one datagram; stops at the first that is malformed.
    static func each(in datagram: UnsafeRawBufferPointer, _ visit: (NetlinkAnswer) -> Void) {
        var rest = datagram
        while rest.count >= headerLength {
            let length = Int(rest.loadUnaligned(as: UInt32.self))
            guard (headerLength...rest.count).contains(length) else { return }
            visit(NetlinkAnswer(bytes: UnsafeRawBufferPointer(rebasing: rest[..<length])))
            rest = UnsafeRawBufferPointer(rebasing: rest[min(rest.count, (length + 3) & ~3)...])
        }
    }

    var type: UInt16 { bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self) }
    var flags: UInt16 { bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self) }
    var sequence: UInt32 { bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self) }

    /// What follows the header.
    var payload: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[Self.headerLength...]) }

    /// Of an NLMSG_ERROR, or an NLMSG_DONE that carries one: the error as errno gives it, 0 for an acknowledgement.
    /// Nil for other messages.
    var errorCode: Int32? {
        guard payload.count >= 4 else { return nil }
        let code = payload.loadUnaligned(as: Int32.self)
        if type == UInt16(NLMSG_ERROR) { return code == .min ? .max : -code }
        return type == UInt16(NLMSG_DONE) && code < 0 && code > -4096 ? -code : nil
    }

    /// Of an NLMSG_ERROR: the number of the message that was refused.
    var refusedSequence: UInt32? {
        payload.count >= 20 ? payload.loadUnaligned(fromByteOffset: 12, as: UInt32.self) : nil
    }

    /// Of an NLMSG_ERROR with extended acknowledgement: the kernel's own words, if it gave any.
    var kernelText: String? {
        guard flags & 0x200 != 0, payload.count >= 20 else { return nil }  // NLM_F_ACK_TLVS
        let isCapped = flags & 0x100 != 0  // NLM_F_CAPPED: only the refused message's header is repeated.
        let repeated = isCapped ? 16 : Int(payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let start = 4 + (repeated + 3) & ~3
        guard start <= payload.count else { return nil }
        let attributes = NetlinkAttributes(UnsafeRawBufferPointer(rebasing: payload[start...]))
        return attributes.first(1).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }  // NLMSGERR_ATTR_MSG
    }
}

/// A run of netlink attributes: length (with its 4 bytes of header), type, value, padded to 4.
struct NetlinkAttributes {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The value of the first attribute of a type; flags in the type's upper bits are ignored.
    func first(_ wanted: Int) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        each { type, value in if found == nil, type == wanted { found = value } }
        return found
    }

    /// A number of at most 4 bytes, in this machine's order.
    func number(_ wanted: Int) -> UInt32? {
        guard let value = first(wanted) else { return nil }
        switch value.count {
        case 1: return UInt32(value[0])
        case 4: return value.loadUnaligned(as: UInt32.self)
        default: return nil
        }
    }

    /// Visits all attributes; stops at the first that is malformed.
    func each(_ visit: (_ type: Int, _ value: UnsafeRawBufferPointer) -> Void) {
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(rest.loadUnaligned(as: UInt16.self))
            let type = Int(rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self) & 0x3fff)
            guard (4...rest.count).contains(length) else { return }
            visit(type, UnsafeRawBufferPointer(rebasing: rest[4..<length]))
            rest = UnsafeRawBufferPointer(rebasing: rest[min(rest.count, (length + 3) & ~3)...])
        }
    }
}

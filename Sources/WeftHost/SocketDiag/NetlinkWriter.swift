internal import CWeftLinux

/// Writes one netlink request into a buffer that is large enough by construction; running over it is our own mistake.
struct NetlinkWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    mutating func header(type: UInt16, flags: UInt16, sequence: UInt32) {
        append(nlmsghdr(nlmsg_len: 0, nlmsg_type: type, nlmsg_flags: flags, nlmsg_seq: sequence, nlmsg_pid: 0))
    }

    /// Appends a structure or a number as it lies in memory.
    mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        buffer.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    /// Appends an attribute with a number as it lies in memory, padded to 4 bytes.
    mutating func attribute<Value: BitwiseCopyable>(_ type: CInt, _ value: Value) {
        nested(type, flag: 0) { $0.append(value) }
    }

    /// Appends an attribute that consists of what `body` writes.
    mutating func nested(_ type: CInt, flag: CInt = NLA_F_NESTED, _ body: (inout NetlinkWriter) -> Void) {
        let start = count
        append(UInt16(0))
        append(UInt16(truncatingIfNeeded: type | flag))
        body(&self)
        buffer.storeBytes(of: UInt16(count - start), toByteOffset: start, as: UInt16.self)
        while count % 4 != 0 { append(UInt8(0)) }
    }

    /// Enters the length; returns it.
    mutating func finish() -> Int {
        buffer.storeBytes(of: UInt32(count), toByteOffset: 0, as: UInt32.self)
        return count
    }
}

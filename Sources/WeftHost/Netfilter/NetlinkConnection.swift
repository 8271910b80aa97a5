internal import CNetfilter
internal import CWeftLinux
internal import Glibc

/// A netlink socket: whole messages out, whole messages in, each with a bound.
///
/// Calls block for as long as the kernel takes to answer, which it does inside the call; a dump that stays silent for
/// `NetlinkConnection.patience` seconds fails. Confined to the thread or actor of its owner.
final class NetlinkConnection {
    let descriptor: Int32
    /// The address that the kernel knows this socket by; owners of tables are named by it.
    let portID: UInt32
    private let buffer: UnsafeMutableRawBufferPointer
    private var lastSequence: UInt32 = 0

    /// The kernel cuts dumps into messages of at most 32 KiB.
    private static let receiveCapacity = 1 << 16
    private static let patience = 5
    private static let messagesPerAnswerMax = 1 << 20

    /// Opens a socket for NETLINK_NETFILTER or NETLINK_ROUTE in the calling thread's network namespace.
    convenience init(protocolNumber: Int32) throws(NetlinkFailure) {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), protocolNumber)
        guard descriptor >= 0 else { throw NetlinkFailure(call: "socket", code: errno) }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else {
            let code = errno
            close(descriptor)
            throw NetlinkFailure(call: "bind", code: code)
        }
        try self.init(adopting: descriptor)
    }

    /// Takes over a bound netlink socket; it is closed with the connection, and at once when this throws. Answers that
    /// an earlier owner left unread are dropped.
    init(adopting descriptor: Int32) throws(NetlinkFailure) {
        var address = sockaddr_nl()
        var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let known = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        let code = known == 0 ? EPROTOTYPE : errno
        guard known == 0, Int32(address.nl_family) == AF_NETLINK, address.nl_pid != 0 else {
            close(descriptor)
            throw NetlinkFailure(call: "getsockname", code: code)
        }
        // A child process that held the descriptor would keep the tables alive.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        self.portID = address.nl_pid
        self.buffer = .allocate(byteCount: Self.receiveCapacity, alignment: 16)
        setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        setOption(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        try? drain { _ in }  // Whatever is unread, or went wrong with it, was about the earlier owner's requests.
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// A number for the next `count` messages, the first of them.
    func takeSequence(_ count: UInt32 = 1) -> UInt32 {
        // Zero marks notifications, so that the numbers begin again at 1.
        if lastSequence > UInt32.max - count { lastSequence = 0 }
        let first = lastSequence + 1
        lastSequence += count
        return first
    }

    /// Sends one datagram, enlarging the socket's buffer for it where that is allowed.
    func send(_ bytes: [UInt8]) throws(NetlinkFailure) {
        if bytes.count > 1 << 17 {
            setOption(SOL_SOCKET, SO_SNDBUFFORCE, Int32(clamping: bytes.count + 4096))
            // Every failing message is answered, at about 1 KiB of buffer each.
            setOption(SOL_SOCKET, SO_RCVBUFFORCE, Int32(clamping: bytes.count + 4096))
        }
        let sent = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
        guard sent == bytes.count else { throw NetlinkFailure(call: "send", code: sent < 0 ? errno : EMSGSIZE) }
    }

    /// Hands over all messages that have arrived, without waiting.
    func drain(_ visit: (NetlinkAnswer) -> Void) throws(NetlinkFailure) {
        for _ in 0..<Self.messagesPerAnswerMax {
            let length = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if length < 0 {
                guard errno != EAGAIN else { return }
                guard errno != EINTR else { continue }
                throw NetlinkFailure(call: "recv", code: errno)
            }
            NetlinkAnswer.each(in: UnsafeRawBufferPointer(rebasing: buffer[..<length]), visit)
        }
        throw NetlinkFailure(call: "recv", code: EOVERFLOW)
    }

    /// Sends one request that asks for an acknowledgement and waits for it; 0 or the kernel's error code.
    func request(_ message: [UInt8], sequence: UInt32) throws(NetlinkFailure) -> Int32 {
        var code: Int32?
        try exchange(message, sequence: sequence) { answer in
            if let error = answer.errorCode { code = error }
            return code != nil
        }
        return code ?? 0
    }

    /// Sends a dump request and hands over each message of the answer.
    ///
    /// - Returns: false when the state changed underneath, so that the answer may lack something: ask again.
    func dump(_ message: [UInt8], sequence: UInt32, _ visit: (NetlinkAnswer) -> Void) throws(NetlinkFailure) -> Bool {
        var failure: Int32 = 0
        var interrupted = false
        try exchange(message, sequence: sequence) { answer in
            if answer.flags & UInt16(NLM_F_DUMP_INTR) != 0 { interrupted = true }
            if let error = answer.errorCode {
                failure = error
                return true
            }
            if answer.type == UInt16(NLMSG_DONE) { return true }
            visit(answer)
            return false
        }
        guard failure == 0 else { throw NetlinkFailure(call: "dump", code: failure) }
        return !interrupted
    }

    /// Sends, and receives until `isLast` says so of a message that answers `sequence`.
    private func exchange(
        _ message: [UInt8],
        sequence: UInt32,
        isLast: (NetlinkAnswer) -> Bool
    ) throws(NetlinkFailure) {
        try send(message)
        var done = false
        for _ in 0..<Self.messagesPerAnswerMax where !done {
            let length = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC))
            guard length >= 0 else {
                guard errno != EINTR else { continue }
                throw NetlinkFailure(call: "recv", code: errno == EAGAIN ? ETIMEDOUT : errno)
            }
            guard length <= buffer.count else { throw NetlinkFailure(call: "recv", code: EMSGSIZE) }
            NetlinkAnswer.each(in: UnsafeRawBufferPointer(rebasing: buffer[..<length])) { answer in
                guard !done, answer.sequence == sequence else { return }
                done = isLast(answer)
            }
        }
        guard done else { throw NetlinkFailure(call: "recv", code: EOVERFLOW) }
    }

    /// Best effort: what the option buys is checked where it matters.
    private func setOption(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// A system call on a netlink socket that failed, or an error that the kernel answered.
struct NetlinkFailure: Error, Equatable {
    let call: String
    let code: Int32
}

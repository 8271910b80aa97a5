internal import CWeftLinux
internal import Glibc

/// A netlink socket for questions that the kernel answers within the call that asks them: sock_diag lookups and
/// conntrack lookups, a few microseconds each, made on event loops.
///
/// Never waits: the answer is queued when sendto() returns, and a socket without one is an error. Nothing is allocated
/// for a question; the two buffers are reused. Answers to earlier questions (left by a failure) and messages that are
/// not from the kernel are dropped. Not Sendable: confined to the thread or event loop of its owner. Tied for good to
/// the network namespace of the thread that made it.
final class NetlinkQuery {
    let descriptor: CInt
    private let subject: String
    private let request: UnsafeMutableRawBufferPointer
    private let answer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    private static let requestCapacity = 256
    /// The kernel cuts dumps into datagrams of at most 32 KiB.
    private static let answerCapacity = 32 * 1024
    /// Datagrams looked at for one question; more than one only after a failure.
    private static let staleMax = 64
    /// Datagrams of one dump: four million sockets.
    private static let dumpDatagramsMax = 65_536

    /// Opens the socket; `subject` names it in errors.
    init(protocolNumber: CInt, subject: String) throws(HostError) {
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_NETLINK, type, protocolNumber)
        guard descriptor >= 0 else {
            throw HostError.errno(
                "open a netlink socket for \(subject)",
                remedy: "allow AF_NETLINK in the unit's RestrictAddressFamilies="
            )
        }
        self.subject = subject
        request = .allocate(byteCount: Self.requestCapacity, alignment: 8)
        answer = .allocate(byteCount: Self.answerCapacity, alignment: 8)
        // Errors then repeat only the header of the refused request. Older kernels repeat all of it, which fits too.
        var one: CInt = 1
        setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit {
        close(descriptor)
        request.deallocate()
        answer.deallocate()
    }

    /// Asks for one thing. `body` writes the request behind its header.
    ///
    /// - Returns: what `read` makes of the answer; nil when the kernel knows no such thing (ENOENT).
    func lookUp<Result>(
        type: UInt16,
        body: (inout NetlinkWriter) -> Void,
        read: (NetlinkAnswer) -> Result?
    ) throws(HostError) -> Result? {
        try send(type: type, flags: UInt16(NLM_F_REQUEST), body: body)
        var result: Result?
        for _ in 0..<Self.staleMax {
            var error: CInt?
            var isAnswered = false
            guard let datagram = try receive() else { break }
            NetlinkAnswer.each(in: datagram) { message in
                guard message.sequence == sequence, !isAnswered else { return }
                isAnswered = true
                error = message.errorCode
                if error == nil { result = read(message) }
            }
            guard isAnswered else { continue }
            switch error {
            case nil, 0, ENOENT: return result
            case .some(let code): throw failed(code)
            }
        }
        throw failed(ENODATA)
    }

    /// Asks for everything of a kind and hands over each message.
    ///
    /// - Returns: false when the table changed underneath in a way that may have hidden entries.
    func dump(
        type: UInt16,
        body: (inout NetlinkWriter) -> Void,
        visit: (NetlinkAnswer) -> Void
    ) throws(HostError) -> Bool {
        try send(type: type, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), body: body)
        var isConsistent = true
        for _ in 0..<Self.dumpDatagramsMax {
            var error: CInt?
            var isDone = false
            guard let datagram = try receive() else { throw failed(ENODATA) }
            NetlinkAnswer.each(in: datagram) { message in
                guard message.sequence == sequence, !isDone else { return }
                if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
                if let code = message.errorCode {
                    error = code
                    isDone = true
                } else if message.type == UInt16(NLMSG_DONE) {
                    isDone = true
                } else {
                    visit(message)
                }
            }
            if let error, error != 0 { throw failed(error) }
            if isDone { return isConsistent }
        }
        throw HostError("dump of \(subject)", .overLimit(Self.dumpDatagramsMax))
    }

    private func send(type: UInt16, flags: UInt16, body: (inout NetlinkWriter) -> Void) throws(HostError) {
        // Zero is what the kernel gives to messages that nobody asked for.
        sequence = sequence == .max ? 1 : sequence + 1
        var writer = NetlinkWriter(request)
        writer.header(type: type, flags: flags, sequence: sequence)
        body(&writer)
        let length = writer.finish()
        var kernel = sockaddr_nl()
        kernel.nl_family = sa_family_t(AF_NETLINK)
        var sent: Int
        repeat {
            sent = withUnsafePointer(to: &kernel) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        descriptor,
                        request.baseAddress,
                        length,
                        0,
                        $0,
                        socklen_t(MemoryLayout<sockaddr_nl>.size)
                    )
                }
            }
        } while sent < 0 && Glibc.errno == EINTR
        guard sent == length else { throw failed(sent < 0 ? Glibc.errno : EMSGSIZE) }
    }

    /// The next datagram from the kernel; nil when none is queued.
    private func receive() throws(HostError) -> UnsafeRawBufferPointer? {
        for _ in 0..<Self.staleMax {
            var sender = sockaddr_nl()
            var senderLength = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let length = withUnsafeMutablePointer(to: &sender) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, answer.baseAddress, answer.count, CInt(MSG_TRUNC), $0, &senderLength)
                }
            }
            guard length >= 0 else {
                switch Glibc.errno {
                case EINTR: continue
                case EAGAIN: return nil
                default: throw failed(Glibc.errno)
                }
            }
            // Any process may send to a netlink socket whose address it guesses; the kernel's is 0.
            guard sender.nl_pid == 0 else { continue }
            guard length <= answer.count else { throw failed(EMSGSIZE) }
            return UnsafeRawBufferPointer(rebasing: answer[..<length])
        }
        return nil
    }

    @inline(never)
    private func failed(_ code: CInt) -> HostError {
        let remedy =
            switch code {
            case EPERM: "give weftd CAP_NET_ADMIN in this network namespace (AmbientCapabilities= of its unit)"
            case ENODATA: "the kernel gave no answer; is its diagnostic module (tcp_diag, nf_conntrack_netlink) loaded?"
            default: ""
            }
        return HostError("query \(subject)", .system(code), remedy: remedy)
    }
}

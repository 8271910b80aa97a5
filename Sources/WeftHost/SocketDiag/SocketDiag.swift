internal import CWeftLinux
internal import Glibc
package import WeftCatalog
package import WeftCore

/// The kernel's record of TCP sockets: who owns one (for each captured connection), and which ones listen.
///
/// Used on an event loop: a lookup takes 3 to 5 µs whatever the number of sockets, and does not wait or allocate. Sees
/// the network namespace of the thread that makes it. Needs no privilege. Not Sendable.
package final class SocketDiag {
    /// Listening sockets that one dump may have.
    package static let listenersMax = 65_536

    private let query: NetlinkQuery

    package convenience init() throws(HostError) {
        self.init(query: try NetlinkQuery(protocolNumber: NETLINK_SOCK_DIAG, subject: "sock_diag"))
    }

    init(query: NetlinkQuery) { self.query = query }

    /// Who owns the local socket that is connected from `client` to `destination`, both as that socket knows them:
    /// before any translation.
    ///
    /// Nil means "cannot be told": there is no such socket, or its owner has closed it and the kernel no longer keeps
    /// the cgroup. Such an answer says uid 0 and must not be taken for root, so it is no answer here. Sockets bound to
    /// a device are not found.
    package func owner(client: ClientAddress, destination: OriginalDestination) throws(HostError) -> SocketOwner? {
        let client = client.address
        let destination = destination.address
        guard client.ip.family == destination.ip.family else { return nil }
        return try query.lookUp(type: Self.byFamily) { writer in
            var request = inet_diag_req_v2(family: client.ip.family, states: .max)
            request.id.idiag_sport = client.port.bigEndian
            request.id.idiag_dport = destination.port.bigEndian
            request.id.idiag_src = client.ip.diagWords
            request.id.idiag_dst = destination.ip.diagWords
            writer.append(request)
        } read: { message in
            // Where there is no such connection the kernel goes on to look for a listener at the client's address,
            // which may well be somebody else's: the answer has to be about the connection that was asked for.
            guard let record = SocketRecord(message), record.state != SocketRecord.listening, record.local == client,
                record.remote == destination, let cgroup = record.cgroup
            else { return nil }
            return SocketOwner(uid: record.uid, inode: record.inode, cgroup: cgroup)
        }
    }

    /// All listening TCP sockets of both families, in no particular order. About 100 µs with 10 000 other sockets.
    ///
    /// Sockets for which the kernel names no cgroup are left out: they belong to no unit.
    package func listeners() throws(HostError) -> [ListeningSocket] {
        var found: [ListeningSocket] = []
        for family in IPFamily.allCases { found += try listeners(family) }
        return found
    }

    private func listeners(_ family: IPFamily) throws(HostError) -> [ListeningSocket] {
        var attempts = 0
        while true {
            attempts += 1
            var found: [ListeningSocket] = []
            var isOverLimit = false
            let isConsistent = try query.dump(type: Self.byFamily) { writer in
                writer.append(inet_diag_req_v2(family: family, states: 1 << UInt32(SocketRecord.listening)))
            } visit: { message in
                guard let record = SocketRecord(message), let cgroup = record.cgroup else { return }
                isOverLimit = isOverLimit || found.count >= Self.listenersMax
                guard !isOverLimit else { return }
                found.append(
                    ListeningSocket(
                        address: record.local,
                        owner: SocketOwner(uid: record.uid, inode: record.inode, cgroup: cgroup),
                        isV6Only: record.isV6Only
                    )
                )
            }
            if isOverLimit { throw HostError("list listening sockets", .overLimit(Self.listenersMax)) }
            // A table that changes all the time is taken as it was seen; the next refresh comes within a second.
            if isConsistent || attempts == Self.attemptsMax { return found }
        }
    }

    private static let attemptsMax = 3
    private static let byFamily = UInt16(SOCK_DIAG_BY_FAMILY)
}

/// One `inet_diag_msg` with its attributes, read out of an answer.
private struct SocketRecord {
    let state: UInt8
    /// The socket's own end and the other; v4-mapped addresses as IPv4.
    let local: NetworkAddress
    let remote: NetworkAddress
    let uid: UserID
    let inode: UInt32
    /// Missing once the socket is only a remnant (TIME_WAIT and the like).
    let cgroup: CgroupID?
    let isV6Only: Bool

    /// TCP_LISTEN of the kernel's tcp_states.h, which has no header for programs.
    static let listening: UInt8 = 10

    /// Nil when the message is of another type or too short.
    init?(_ message: NetlinkAnswer) {
        let payload = message.payload
        guard message.type == UInt16(SOCK_DIAG_BY_FAMILY), payload.count >= MemoryLayout<inet_diag_msg>.size else {
            return nil
        }
        var record = payload.loadUnaligned(as: inet_diag_msg.self)
        let family = CInt(record.idiag_family)
        guard family == AF_INET || family == AF_INET6 else { return nil }
        state = record.idiag_state
        local = NetworkAddress(
            IPAddress(diagWords: &record.id.idiag_src, family),
            port: UInt16(bigEndian: record.id.idiag_sport)
        )
        remote = NetworkAddress(
            IPAddress(diagWords: &record.id.idiag_dst, family),
            port: UInt16(bigEndian: record.id.idiag_dport)
        )
        uid = UserID(record.idiag_uid)
        inode = record.idiag_inode

        var cgroup: CgroupID?
        var isV6Only = false
        let attributes = UnsafeRawBufferPointer(rebasing: payload[MemoryLayout<inet_diag_msg>.size...])
        NetlinkAttributes(attributes).each { type, value in
            switch type {
            case Int(INET_DIAG_CGROUP_ID) where value.count == 8:
                cgroup = CgroupID(value.loadUnaligned(as: UInt64.self))
            case Int(INET_DIAG_SKV6ONLY) where value.count == 1:
                isV6Only = value[0] != 0
            default:
                break
            }
        }
        self.cgroup = cgroup
        self.isV6Only = isV6Only && family == AF_INET6
    }
}

extension inet_diag_req_v2 {
    /// A question about TCP sockets of a family in some states; the cookie that means "any".
    fileprivate init(family: IPFamily, states: UInt32) {
        self.init()
        sdiag_family = UInt8(family == .v4 ? AF_INET : AF_INET6)
        sdiag_protocol = UInt8(IPPROTO_TCP)
        idiag_states = states
        id.idiag_cookie = (.max, .max)
    }
}

/// Four words in network order, as sock_diag has addresses; IPv4 in the first.
private typealias DiagWords = (UInt32, UInt32, UInt32, UInt32)

extension IPAddress {
    fileprivate var diagWords: DiagWords {
        switch self {
        case .v4(let bits):
            (bits.bigEndian, 0, 0, 0)
        case .v6(let high, let low):
            (
                UInt32(truncatingIfNeeded: high >> 32).bigEndian, UInt32(truncatingIfNeeded: high).bigEndian,
                UInt32(truncatingIfNeeded: low >> 32).bigEndian, UInt32(truncatingIfNeeded: low).bigEndian
            )
        }
    }

    fileprivate init(diagWords words: inout DiagWords, _ family: CInt) {
        self =
            family == AF_INET
            ? .v4(UInt32(bigEndian: words.0)) : withUnsafeBytes(of: &words) { IPAddress(v6Bytes: $0) }
    }
}

internal import CWeftLinux
internal import Glibc
package import WeftCore

/// Asks the kernel's connection table what a redirected connection was before the redirect.
///
/// Used on an event loop, once for each captured connection: about 10 µs, no waiting, no allocation. Needs
/// CAP_NET_ADMIN. Sees the network namespace of the thread that makes it. Not Sendable.
package final class Conntrack {
    private let query: NetlinkQuery

    package init() throws(HostError) {
        query = try NetlinkQuery(protocolNumber: NETLINK_NETFILTER, subject: "conntrack")
    }

    /// The client's own address and what it dialled, for the connection that `listener` accepted from `peer`.
    ///
    /// The peer of an accepted socket is not always the client: where two connections would look the same after the
    /// redirect, the kernel changes the port of one. The entry's reply direction is what the listener sees, its
    /// original direction what the client sees.
    ///
    /// `listener` is the accepted socket's own address (getsockname), not the wildcard that it may be bound to. Nil
    /// when nothing was redirected: no entry, or the client dialled `listener` itself. IPv4-mapped addresses are IPv4.
    /// Only zone 0 is searched.
    package func original(
        listener: NetworkAddress,
        peer: NetworkAddress
    ) throws(HostError) -> (ClientAddress, OriginalDestination)? {
        guard listener.ip.family == peer.ip.family else { return nil }
        let family = listener.ip.family
        return try query.lookUp(type: Self.message(IPCTNL_MSG_CT_GET)) { writer in
            writer.append(
                nfgenmsg(
                    nfgen_family: UInt8(family == .v4 ? AF_INET : AF_INET6),
                    version: UInt8(NFNETLINK_V0),
                    res_id: 0
                )
            )
            writer.nested(CInt(CTA_TUPLE_REPLY.rawValue)) { tuple in
                tuple.nested(CInt(CTA_TUPLE_IP.rawValue)) { $0.appendAddresses(source: listener.ip, target: peer.ip) }
                tuple.nested(CInt(CTA_TUPLE_PROTO.rawValue)) { ports in
                    ports.attribute(CInt(CTA_PROTO_NUM.rawValue), UInt8(IPPROTO_TCP))
                    ports.attribute(CInt(CTA_PROTO_SRC_PORT.rawValue), listener.port.bigEndian)
                    ports.attribute(CInt(CTA_PROTO_DST_PORT.rawValue), peer.port.bigEndian)
                }
            }
        } read: { message in
            guard let (client, destination) = Self.originalTuple(message, family), destination != listener else {
                return nil
            }
            return (ClientAddress(client), OriginalDestination(destination))
        }
    }

    /// How full the table is and how much it holds; nil where connection tracking is not loaded. When it is full,
    /// new connections of the whole host are lost.
    package static func usage() throws(HostError) -> (count: Int, max: Int)? {
        guard let count = try number("/proc/sys/net/netfilter/nf_conntrack_count"),
            let max = try number("/proc/sys/net/netfilter/nf_conntrack_max")
        else { return nil }
        return (count, max)
    }

    private static func number(_ path: String) throws(HostError) -> Int? {
        guard let bytes = try BoundedFile.read(path, limit: 64) else { return nil }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let number = Int(text) else { throw HostError("read \(path)", .malformed("`\(text)` is no number")) }
        return number
    }

    private static func message(_ type: cntl_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(type.rawValue)
    }

    /// Source and target of an entry's original direction.
    private static func originalTuple(
        _ message: NetlinkAnswer,
        _ family: IPFamily
    ) -> (NetworkAddress, NetworkAddress)? {
        let payload = message.payload
        guard message.type == Self.message(IPCTNL_MSG_CT_NEW), payload.count >= MemoryLayout<nfgenmsg>.size else {
            return nil
        }
        let entry = NetlinkAttributes(UnsafeRawBufferPointer(rebasing: payload[MemoryLayout<nfgenmsg>.size...]))
        guard let tuple = entry.first(Int(CTA_TUPLE_ORIG.rawValue)).map(NetlinkAttributes.init),
            let addresses = tuple.first(Int(CTA_TUPLE_IP.rawValue)).map(NetlinkAttributes.init),
            let ports = tuple.first(Int(CTA_TUPLE_PROTO.rawValue)).map(NetlinkAttributes.init),
            let source = addresses.address(family == .v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, family),
            let target = addresses.address(family == .v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, family),
            let sourcePort = ports.port(CTA_PROTO_SRC_PORT), let targetPort = ports.port(CTA_PROTO_DST_PORT)
        else { return nil }
        return (NetworkAddress(source, port: sourcePort), NetworkAddress(target, port: targetPort))
    }
}

extension NetlinkWriter {
    fileprivate mutating func appendAddresses(source: IPAddress, target: IPAddress) {
        appendAddress(source, v4: CTA_IP_V4_SRC, v6: CTA_IP_V6_SRC)
        appendAddress(target, v4: CTA_IP_V4_DST, v6: CTA_IP_V6_DST)
    }

    private mutating func appendAddress(_ address: IPAddress, v4: ctattr_ip, v6: ctattr_ip) {
        switch address {
        case .v4(let bits):
            attribute(CInt(v4.rawValue), bits.bigEndian)
        case .v6(let high, let low):
            nested(CInt(v6.rawValue), flag: 0) {
                $0.append(high.bigEndian)
                $0.append(low.bigEndian)
            }
        }
    }
}

extension NetlinkAttributes {
    fileprivate func address(_ type: ctattr_ip, _ family: IPFamily) -> IPAddress? {
        guard let value = first(Int(type.rawValue)), value.count == family.bitWidth / 8 else { return nil }
        return switch family {
        case .v4: .v4(UInt32(bigEndian: value.loadUnaligned(as: UInt32.self)))
        case .v6: IPAddress(v6Bytes: value)
        }
    }

    fileprivate func port(_ type: ctattr_l4proto) -> UInt16? {
        guard let value = first(Int(type.rawValue)), value.count == 2 else { return nil }
        return UInt16(bigEndian: value.loadUnaligned(as: UInt16.self))
    }
}

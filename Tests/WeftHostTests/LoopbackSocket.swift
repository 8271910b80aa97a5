import Glibc
import WeftCore

@testable import WeftHost

/// A TCP socket for tests, closed when it is let go.
final class LoopbackSocket: Sendable {
    let descriptor: CInt

    init(descriptor: CInt) { self.descriptor = descriptor }

    /// A new socket; `asV6` takes an IPv6 socket for an IPv4 address as well (v4-mapped).
    convenience init(for address: IPAddress, asV6: Bool = false) throws {
        let family = asV6 || address.family == .v6 ? AF_INET6 : AF_INET
        self.init(descriptor: try check(socket(family, CInt(SOCK_STREAM.rawValue), 0), "socket"))
    }

    deinit { close(descriptor) }

    static func listener(_ address: NetworkAddress, v6Only: Bool = true, backlog: CInt = 4096) throws -> LoopbackSocket
    {
        let socket = try LoopbackSocket(for: address.ip)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if address.ip.family == .v6 { try socket.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, v6Only ? 1 : 0) }
        try socket.bind(to: address)
        try check(listen(socket.descriptor, backlog), "listen")
        return socket
    }

    static func connected(
        to address: NetworkAddress,
        from source: NetworkAddress? = nil,
        asV6: Bool = false
    ) throws -> LoopbackSocket {
        let socket = try LoopbackSocket(for: address.ip, asV6: asV6)
        if let source {
            try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
            try socket.bind(to: source)
        }
        let descriptor = socket.descriptor
        try check(withAddress(address, asV6) { connect(descriptor, $0, $1) }, "connect to \(address)")
        return socket
    }

    func accepted() throws -> LoopbackSocket {
        LoopbackSocket(descriptor: try check(accept(descriptor, nil, nil), "accept"))
    }

    func bind(to address: NetworkAddress) throws {
        try check(Self.withAddress(address, false) { Glibc.bind(descriptor, $0, $1) }, "bind to \(address)")
    }

    func set(_ level: CInt, _ name: CInt, _ value: CInt) throws {
        var value = value
        try check(setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size)), "setsockopt \(name)")
    }

    /// Closing then sends RST.
    func abortOnClose() throws {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        try check(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, size), "setsockopt SO_LINGER")
    }

    func local() throws -> NetworkAddress { try address { getsockname(descriptor, $0, $1) } }
    func peer() throws -> NetworkAddress { try address { getpeername(descriptor, $0, $1) } }

    func inode() throws -> UInt32 {
        var status = stat()
        try check(fstat(descriptor, &status), "fstat")
        return UInt32(truncatingIfNeeded: status.st_ino)
    }

    private func address(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) throws -> NetworkAddress {
        var six = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try check(
            withUnsafeMutablePointer(to: &six) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
            },
            "address of a socket"
        )
        let port = UInt16(bigEndian: six.sin6_port)
        if CInt(six.sin6_family) == AF_INET6 {
            return NetworkAddress(withUnsafeBytes(of: &six.sin6_addr) { IPAddress(v6Bytes: $0) }, port: port)
        }
        let bits = withUnsafeBytes(of: &six) { $0.load(as: sockaddr_in.self).sin_addr.s_addr }
        return NetworkAddress(.v4(UInt32(bigEndian: bits)), port: port)
    }

    private static func withAddress(
        _ address: NetworkAddress,
        _ asV6: Bool,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var bytes = address.ip.bytes
        if asV6 || bytes.count == 16 {
            if bytes.count == 4 { bytes = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + bytes }
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &six.sin6_addr) { $0.copyBytes(from: bytes) }
            return withUnsafePointer(to: &six) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = address.port.bigEndian
        withUnsafeMutableBytes(of: &four.sin_addr) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &four) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// An address in a test's source text.
func address(_ text: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text) else { throw TestFailure("`\(text)` is no address") }
    return address
}

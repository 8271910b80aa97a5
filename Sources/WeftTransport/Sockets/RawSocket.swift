internal import Glibc
package import WeftCore

/// System calls on one TCP socket, with the addresses of this package.
///
/// A borrowed descriptor: whoever made it closes it. For options that NIO has no channel option for, and in places
/// where a future for each of them would cost more than the call.
package struct RawSocket: Sendable {
    package let descriptor: CInt

    package init(_ descriptor: CInt) { self.descriptor = descriptor }

    /// Opens a non-blocking, close-on-exec stream socket.
    package static func stream(_ family: IPFamily) throws(SocketError) -> RawSocket {
        let domain = family == .v4 ? AF_INET : AF_INET6
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(domain, type, CInt(IPPROTO_TCP))
        guard descriptor >= 0 else { throw SocketError("socket", errno) }
        return RawSocket(descriptor)
    }

    package func close() { _ = Glibc.close(descriptor) }

    package func bind(to address: NetworkAddress) throws(SocketError) {
        let result = withSocketAddress(address) { Glibc.bind(descriptor, $0, $1) }
        guard result == 0 else { throw SocketError("bind to \(address)", errno) }
    }

    /// Starts to listen; `backlog` is cut to net.core.somaxconn by the kernel.
    package func listen(backlog: CInt) throws(SocketError) {
        guard Glibc.listen(descriptor, backlog) == 0 else { throw SocketError("listen", errno) }
    }

    /// The address of this end: for a transparent listener's connections, what the client dialled.
    package func localAddress() throws(SocketError) -> NetworkAddress {
        try address("getsockname") { getsockname($0, $1, $2) }
    }

    /// The address of the other end.
    package func peerAddress() throws(SocketError) -> NetworkAddress {
        try address("getpeername") { getpeername($0, $1, $2) }
    }

    package func set(_ option: SocketOption, to value: CInt) throws(SocketError) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard setsockopt(descriptor, option.level, option.name, &value, size) == 0 else {
            throw SocketError("setsockopt \(option.title)", errno)
        }
    }

    /// With true, closing sends RST and throws away what was not sent; with false, closing is an orderly end.
    ///
    /// Carried sockets are kept on true until their FIN is due: if weftd is killed, both ends see a reset instead of an
    /// end that looks complete (capture.md section 3).
    package func setAbortOnClose(_ abort: Bool) throws(SocketError) {
        var value = linger(l_onoff: abort ? 1 : 0, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        guard setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, size) == 0 else {
            throw SocketError("setsockopt SO_LINGER", errno)
        }
    }

    private func address(
        _ call: StaticString,
        _ body: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) throws(SocketError) -> NetworkAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SocketError("\(call)", errno) }
        guard let address = NetworkAddress(storage) else { throw SocketError("\(call)", EAFNOSUPPORT) }
        return address
    }
}

/// A system call on a socket that failed: which one, and the kernel's reason.
package struct SocketError: Error, Sendable, CustomStringConvertible {
    package let call: String
    package let code: CInt

    init(_ call: String, _ code: CInt) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(String(cString: strerror(code))) (errno \(code))" }
}

/// Where the parts of sockaddr_in and sockaddr_in6 are (netinet/in.h). By offset, because NIO's own C module includes that
/// header too, and which of the two modules Swift says the fields belong to changes with the files of a build.
private enum SocketAddressLayout {
    static let family = 0
    static let port = 2
    static let addressV4 = 4
    static let sizeV4 = 16
    static let addressV6 = 8
    static let sizeV6 = 28
}

extension NetworkAddress {
    /// Nil for families other than IPv4 and IPv6.
    init?(_ storage: sockaddr_storage) {
        let address: NetworkAddress? = withUnsafeBytes(of: storage) { bytes in
            let port = UInt16(bigEndian: bytes.load(fromByteOffset: SocketAddressLayout.port, as: UInt16.self))
            switch CInt(storage.ss_family) {
            case AF_INET:
                let bits = bytes.load(fromByteOffset: SocketAddressLayout.addressV4, as: UInt32.self)
                return NetworkAddress(.v4(UInt32(bigEndian: bits)), port: port)
            case AF_INET6:
                let start = SocketAddressLayout.addressV6
                return NetworkAddress(IPAddress(v6Bytes: .init(rebasing: bytes[start..<start + 16])), port: port)
            default:
                return nil
            }
        }
        guard let address else { return nil }
        self = address
    }
}

/// Calls `body` with the address as the kernel wants it.
func withSocketAddress<Result>(
    _ address: NetworkAddress,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var storage = sockaddr_storage()
    let size = withUnsafeMutableBytes(of: &storage) { bytes in
        bytes.storeBytes(of: address.port.bigEndian, toByteOffset: SocketAddressLayout.port, as: UInt16.self)
        let family: CInt
        let size: Int
        switch address.ip {
        case .v4(let bits):
            (family, size) = (AF_INET, SocketAddressLayout.sizeV4)
            bytes.storeBytes(of: bits.bigEndian, toByteOffset: SocketAddressLayout.addressV4, as: UInt32.self)
        case .v6(let high, let low):
            (family, size) = (AF_INET6, SocketAddressLayout.sizeV6)
            bytes.storeBytes(of: high.bigEndian, toByteOffset: SocketAddressLayout.addressV6, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: SocketAddressLayout.addressV6 + 8, as: UInt64.self)
        }
        bytes.storeBytes(of: sa_family_t(family), toByteOffset: SocketAddressLayout.family, as: sa_family_t.self)
        return size
    }
    return withUnsafePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
    }
}

import Glibc
import Testing
import WeftCore

/// A TCP socket for tests: every wait is bounded. Made in the calling thread's network namespace, usable anywhere.
final class TestSocket {
    let descriptor: Int32

    private init(descriptor: Int32) throws {
        self.descriptor = descriptor
        try #require(descriptor >= 0, "errno \(errno)")
        // Programs that other tests start meanwhile must not hold the connection open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    private convenience init(_ family: IPFamily) throws {
        let domain = family == .v4 ? AF_INET : AF_INET6
        try self.init(descriptor: socket(domain, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        if family == .v6 { set(Int32(IPPROTO_IPV6), 26, 1) }  // IPV6_V6ONLY
    }

    deinit { close(descriptor) }

    static func listening(on address: String, isTransparent: Bool = false) throws -> TestSocket {
        let address = try #require(NetworkAddress(address))
        let new = try TestSocket(address.ip.family)
        new.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if isTransparent { new.setTransparent(address.ip.family) }
        try #require(address.withSockaddr { bind(new.descriptor, $0, $1) } == 0, "bind \(address): errno \(errno)")
        try #require(listen(new.descriptor, 64) == 0)
        return new
    }

    /// Dials, for at most 2 seconds.
    ///
    /// - Parameter source: a foreign address to dial from, as weftd does to preserve the client's.
    static func connected(to address: String, mark: UInt32? = nil, source: String? = nil) throws -> TestSocket {
        let address = try #require(NetworkAddress(address))
        let new = try TestSocket(address.ip.family)
        if let mark { new.set(SOL_SOCKET, 36, Int32(mark)) }  // SO_MARK
        if let source {
            let source = try #require(NetworkAddress(source))
            new.setTransparent(address.ip.family)
            try #require(source.withSockaddr { bind(new.descriptor, $0, $1) } == 0, "bind \(source): errno \(errno)")
        }
        guard address.withSockaddr({ connect(new.descriptor, $0, $1) }) == 0 else { throw DialFailure(code: errno) }
        return new
    }

    func accepted() throws -> TestSocket {
        // A listener waits as long as SO_RCVTIMEO says.
        try TestSocket(descriptor: accept(descriptor, nil, nil))
    }

    /// Whether a connection is waiting, at once.
    var hasConnection: Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }

    var local: NetworkAddress? { name(getsockname) }
    var peer: NetworkAddress? { name(getpeername) }

    /// Sends a few bytes and expects them at the other end.
    func says(_ text: String, to other: TestSocket) throws -> Bool {
        let bytes = Array(text.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return false }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(other.descriptor, &buffer, buffer.count, 0)
        return count > 0 && Array(buffer[..<count]) == bytes
    }

    private func set(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        let status = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        #expect(status == 0, "setsockopt \(level) \(name): errno \(errno)")
    }

    private func setTransparent(_ family: IPFamily) {
        // IP_TRANSPARENT, IPV6_TRANSPARENT
        family == .v4 ? set(Int32(IPPROTO_IP), 19, 1) : set(Int32(IPPROTO_IPV6), 75, 1)
    }

    private func name(
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> NetworkAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        guard status == 0 else { return nil }
        let family = Int32(storage.ss_family)
        return withUnsafeBytes(of: &storage) { bytes in
            let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            if family == AF_INET {
                let bits = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                return NetworkAddress(.v4(bits), port: port)
            }
            return NetworkAddress(IPAddress(v6Bytes: UnsafeRawBufferPointer(rebasing: bytes[8..<24])), port: port)
        }
    }
}

struct DialFailure: Error, Equatable {
    let code: Int32
}

extension NetworkAddress {
    fileprivate func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var bytes = withUnsafeBytes(of: sa_family_t(ip.family == .v4 ? AF_INET : AF_INET6)) { Array($0) }
        bytes += [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        bytes +=
            ip.family == .v4 ? ip.bytes + [UInt8](repeating: 0, count: 8) : [0, 0, 0, 0] + ip.bytes + [0, 0, 0, 0]
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }
}

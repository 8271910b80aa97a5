import Glibc
import WeftCore

@testable import WeftTransport

/// A blocking socket with deadlines, so that a test that waits for something that never comes fails instead of hanging.
final class TestSocket: Sendable {
    enum ReadResult: Equatable {
        case bytes([UInt8])
        case end
        case reset
        case timeout
    }

    let descriptor: CInt

    init(adopting descriptor: CInt, timeoutSeconds: Int = 10) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// A listener on a loopback port that the kernel chooses, or at an address.
    static func listener(backlog: CInt = 128, at address: NetworkAddress = NetworkAddress(.loopbackV4, port: 0)) throws
        -> (TestSocket, NetworkAddress)
    {
        let raw = try blockingSocket()
        try raw.bind(to: address)
        try raw.listen(backlog: backlog)
        return (TestSocket(adopting: raw.descriptor), try raw.localAddress())
    }

    static func connected(to address: NetworkAddress) throws -> TestSocket {
        let socket = TestSocket(adopting: try blockingSocket().descriptor)
        let result = withSocketAddress(address) { connect(socket.descriptor, $0, $1) }
        guard result == 0 else { throw TestError("connect: errno \(errno)") }
        return socket
    }

    private static func blockingSocket() throws -> RawSocket {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestError("socket: errno \(errno)") }
        return RawSocket(descriptor)
    }

    var localAddress: NetworkAddress {
        get throws { try RawSocket(descriptor).localAddress() }
    }

    var peerAddress: NetworkAddress {
        get throws { try RawSocket(descriptor).peerAddress() }
    }

    func accept() throws -> TestSocket {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw TestError("accept: errno \(errno)") }
        return TestSocket(adopting: accepted)
    }

    /// Writes all of it, or throws on a deadline or a broken connection.
    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestError("send: errno \(errno) after \(sent) bytes") }
            sent += count
        }
    }

    /// Writes as much as the socket takes without waiting.
    func writeNow(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes {
            max(0, send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)))
        }
    }

    func read(max: Int = 65536) -> ReadResult {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(descriptor, &buffer, max, 0)
        switch count {
        case 0: return .end
        case 1...: return .bytes(Array(buffer[..<count]))
        default: return errno == ECONNRESET ? .reset : .timeout
        }
    }

    /// Everything up to the end, and how it ended.
    func readAll() -> (bytes: [UInt8], end: ReadResult) {
        var all: [UInt8] = []
        while true {
            switch read() {
            case .bytes(let bytes): all += bytes
            case let end: return (all, end)
            }
        }
    }

    /// Exactly so many bytes, or as many as there were.
    func read(count: Int) -> [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(count)
        while all.count < count, case .bytes(let bytes) = read(max: min(65536, count - all.count)) { all += bytes }
        return all
    }

    func endOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Closes with RST.
    func reset() throws {
        try RawSocket(descriptor).setAbortOnClose(true)
        shutdownBoth()
    }

    /// The descriptor stays valid for `deinit`; connecting it to nothing disconnects it now, with RST under SO_LINGER 0.
    private func shutdownBoth() {
        // AF_UNSPEC is all zeros.
        let nowhere = [UInt64](repeating: 0, count: 2)
        _ = nowhere.withUnsafeBytes { connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, 16) }
    }
}

struct TestError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

import Dispatch
import Glibc

/// A blocking Unix socket with deadlines, so that a test that waits for something that never comes fails instead of
/// hanging.
final class UnixClient: Sendable {
    enum Received: Equatable {
        case bytes([UInt8])
        case end
        case reset
        case timeout
    }

    let descriptor: CInt

    init(_ path: String, timeoutSeconds: Int = 20) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: errno \(errno)") }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withSocketAddress(path) { connect(descriptor, $0, $1) }
        guard result == 0 else { throw TestFailure("connect \(path): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends all of it; throws on a deadline, or when the other side has closed.
    func send(_ bytes: some Sequence<UInt8>) throws {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestFailure("send: errno \(errno) after \(sent) bytes") }
            sent += count
        }
    }

    func receive() -> Received {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        switch count {
        case 0: return .end
        case 1...: return .bytes(Array(buffer[..<count]))
        default: return errno == EAGAIN ? .timeout : .reset
        }
    }

    func endOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    func hangUp() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// The next answer; nil when the connection ends, in whatever way, before a whole one has come. Throws at the deadline.
    func answer(toHead: Bool = false) throws -> HTTPAnswer? {
        var bytes: [UInt8] = []
        while true {
            if let answer = HTTPAnswer.first(in: &bytes, toHead: toHead) { return answer }
            switch receive() {
            case .bytes(let more): bytes += more
            case .end, .reset: return nil
            case .timeout: throw TestFailure("no answer in time")
            }
        }
    }

    /// Reads until the server has closed. Throws at the deadline.
    func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            switch receive() {
            case .bytes(let more): bytes += more
            case .end, .reset: return bytes
            case .timeout: throw TestFailure("not closed in time, after \(bytes.count) bytes")
            }
        }
    }
}

/// Calls `body` with the address of a Unix socket.
func withSocketAddress<Value>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Runs blocking calls on a Dispatch thread, never on one of Swift concurrency's, which the server under test needs.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}

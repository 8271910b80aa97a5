internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import WeftAPI

/// Asks weftd by HTTP/1.1 over its Unix socket, with a client and one thread that live for one question.
package struct UnixSocketTransport: DaemonTransport {
    /// For the whole exchange, from connecting to the last byte, unless the request sets another limit.
    private let timeout: Duration
    /// The longest body that is read, in bytes.
    private let bodyLimit: Int

    /// The defaults leave room for 50,000 connections in a list, and for a host that is busy.
    package init(timeout: Duration = .seconds(10), bodyLimit: Int = 64 << 20) {
        self.timeout = timeout
        self.bodyLimit = bodyLimit
    }

    package func exchange(
        _ request: DaemonRequest,
        at socket: SocketPath
    ) async throws(DaemonError) -> DaemonAnswer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = HTTPClient(eventLoopGroup: group, configuration: configuration)
        let outcome = await race(request, at: socket, with: client)
        // The answer is complete or given up by now. A connection that will not close changes neither.
        try? await client.shutdown()
        try? await group.shutdownGracefully()
        return try outcome.get()
    }

    private var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        // A socket that is not there now is news to tell at once, not to retry until the timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    /// The exchange, or the timeout when that comes first. The client's own deadline ends with the head of an answer,
    /// and a body may drip for ever.
    private func race(
        _ request: DaemonRequest,
        at socket: SocketPath,
        with client: HTTPClient
    ) async -> Result<DaemonAnswer, DaemonError> {
        await withTaskGroup(of: Result<DaemonAnswer, DaemonError>.self) { group in
            let limit = limit(request)
            let late = DaemonError.timedOut(socket, target: request.target, after: limit)
            group.addTask {
                do throws(DaemonError) {
                    return .success(try await converse(request, at: socket, with: client))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                // Cancelled means that the exchange came first, and nobody reads this result.
                try? await Task.sleep(for: limit)
                return .failure(late)
            }
            let first = await group.next() ?? .failure(late)
            group.cancelAll()
            return first
        }
    }

    private func limit(_ request: DaemonRequest) -> Duration { request.timeout ?? timeout }

    private func converse(
        _ request: DaemonRequest,
        at socket: SocketPath,
        with client: HTTPClient
    ) async throws(DaemonError) -> DaemonAnswer {
        var message = HTTPClientRequest(url: "http+unix://\(percentEncoded(socket.path))\(request.target)")
        message.method = HTTPMethod(rawValue: request.route.method)
        message.headers.add(name: "host", value: "weftd")
        message.headers.add(name: "accept", value: "application/json")
        if let body = request.body {
            message.headers.add(name: "content-type", value: "application/json")
            message.body = .bytes(ByteBuffer(bytes: body))
        }
        let response: HTTPClientResponse
        do {
            response = try await client.execute(message, timeout: TimeAmount(limit(request)))
        } catch {
            throw headFault(error, request, at: socket)
        }
        do {
            let body = try await response.body.collect(upTo: bodyLimit)
            return DaemonAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw .tooLarge(target: request.target, limit: bodyLimit)
        } catch {
            throw .truncated(socket)
        }
    }

    private func headFault(_ error: any Error, _ request: DaemonRequest, at socket: SocketPath) -> DaemonError {
        switch error {
        case let error as IOError: DaemonError(connectErrno: error.errnoCode, at: socket)
        case let error as HTTPParserError where error == .invalidEOFState: .truncated(socket)
        case let error as HTTPParserError: .notHTTP(socket, reason: "\(error)")
        case let error as HTTPClientError where error == .remoteConnectionClosed: .closedUnanswered(socket)
        case let error as HTTPClientError where [.deadlineExceeded, .connectTimeout].contains(error):
            .timedOut(socket, target: request.target, after: limit(request))
        default: .cannotConnect(socket, reason: "\(error)")
        }
    }
}

/// Every byte but the unreserved ones of RFC 3986 section 2.3 as `%XX`, the slash too: the path stands in the place of
/// a host name.
private func percentEncoded(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in path.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

internal import FoundationEssentials
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import WeftAPI
internal import WeftCore
internal import WeftHost

/// The daemon's only user interface: HTTP/1.1 over a Unix socket.
///
/// Everybody on the host may connect; what a caller sees and may do follows from its uid (`Viewer`). Runs on a thread of
/// its own, never on the loops that carry bytes. Bounds: requests without body, at most `connectionsMax` connections,
/// idle ones are closed.
struct APIServer: Sendable {
    let socketPath: String
    /// Connections at a time; further ones wait.
    let connectionsMax: Int
    let reports: any Reporting
    let logger: Logger
    /// How long a client may be silent.
    var idleTimeout = TimeAmount.seconds(30)

    /// Serves until its task is cancelled. `onReady` is called when requests are answered.
    func run(on group: any EventLoopGroup, onReady: @escaping @Sendable () async -> Void) async throws {
        try makeWay()
        // Hummingbird's `Application` would do the same and keep a clock for the Date header, which wakes an idle host every
        // second for a header that nobody reads here.
        let responder = router().buildResponder()
        let server = try HTTPServerBuilder.http1(configuration: .init(idleTimeout: idleTimeout)).buildServer(
            configuration: .init(
                address: .unixDomainSocket(path: socketPath),
                backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(connectionsMax)
            ),
            eventLoopGroup: group,
            logger: logger
        ) { [logger, idleTimeout] request, writer, channel in
            let context = APIContext(source: .init(channel: channel, logger: logger))
            let response = try await responder.respond(to: request, context: context)
            // A client that does not read what it asked for is idle too, which the server by itself does not see.
            let patience = channel.eventLoop.scheduleTask(in: idleTimeout) { channel.close(promise: nil) }
            defer { patience.cancel() }
            let body = request.method == .head ? ResponseBody() : response.body
            try await writer.write(response: response.head, body: body)
        } onServerRunning: { [logger, socketPath] _ in
            // Connecting is for everybody; what is shown depends on who connects.
            if chmod(socketPath, 0o666) != 0 {
                logger.error("API socket: chmod failed", metadata: ["path": "\(socketPath)", "errno": "\(errno)"])
            }
            await onReady()
        }
        do {
            try await server.run()
        } catch let error as IOError {
            throw DaemonError.apiSocket(path: socketPath, reason: String(cString: strerror(error.errnoCode)))
        }
    }

    /// Removes a socket that an earlier process left behind, which would make bind fail, and nothing else.
    private func makeWay() throws(DaemonError) {
        guard socketPath.utf8.count <= Self.socketPathBytesMax else {
            throw .apiSocket(
                path: socketPath,
                reason: "the path is longer than the \(Self.socketPathBytesMax) bytes allowed"
            )
        }
        switch FileKind(of: socketPath) {
        case .nothing: return
        case .socket: break
        case .other:
            throw .apiSocket(path: socketPath, reason: "something that is no socket has this name")
        }
        guard unlink(socketPath) == 0 || errno == ENOENT else {
            throw .apiSocket(path: socketPath, reason: String(cString: strerror(errno)))
        }
    }

    /// `sun_path` of unix(7), without the zero at its end.
    private static let socketPathBytesMax = 107

    private func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: ErrorAnswers(logger: logger))
        router.add(middleware: BodyGate())
        router.add(middleware: Identification())
        let (reports, socketPath) = (self.reports, self.socketPath)
        func route<Answer: Encodable & Sendable>(
            _ route: APIRoute,
            _ answer: @escaping @Sendable (Request, Viewer) async throws -> Answer
        ) {
            router.add(route, answer)
        }
        route(.version) { _, _ in reports.version() }
        route(.status) { _, _ in try await reports.status() }
        route(.services) { _, viewer in try await reports.services(for: viewer) }
        route(.workloads) { _, viewer in try await reports.workloads(for: viewer) }
        route(.connections) { _, viewer in try await reports.connections(for: viewer) }
        route(.decisions) { request, viewer in
            if let id = try decisionID(request) { return try await reports.decision(id, for: viewer) }
            return try await reports.decisions(last: decisionCount(request), for: viewer)
        }
        route(.stat) { _, viewer in
            try viewer.require(viewer.seesAll, toDo: "see the requests of all services", next: "sudo weft stat")
            return try await reports.stat()
        }
        route(.tap) { request, viewer in
            try viewer.require(viewer.seesAll, toDo: "look at the requests of all services", next: "sudo weft tap")
            return try await reports.tap(
                try TapFilter(request),
                after: try eventNumber(request),
                wait: try eventWait(request)
            )
        }
        route(.check) { _, viewer in
            try viewer.require(viewer.seesAll, toDo: "check the host", next: "sudo weft check")
            return try await reports.check()
        }
        route(.peers) { _, viewer in
            try viewer.require(viewer.seesAll, toDo: "list the hosts of the mesh", next: "sudo weft peers")
            return try await reports.peers()
        }
        route(.events) { request, viewer in
            try viewer.require(viewer.seesAll, toDo: "follow the events of the mesh", next: "sudo weft events")
            return await reports.events(after: try eventNumber(request), wait: try eventWait(request))
        }
        route(.join) { request, viewer in
            try viewer.require(viewer.mayChange, toDo: "join a mesh", next: "sudo weft join ADDRESS")
            return try await reports.join(try await body(of: request) as JoinRequest)
        }
        route(.leave) { request, viewer in
            try viewer.require(viewer.mayChange, toDo: "leave the mesh", next: "sudo weft leave")
            return try await reports.leave(try await body(of: request))
        }
        route(.sendEvent) { request, viewer in
            try viewer.require(viewer.mayChange, toDo: "send events", next: "sudo weft event NAME")
            return try await reports.sendEvent(try await body(of: request))
        }
        func keyRoute(_ name: APIRoute, _ change: @escaping @Sendable (Request) async throws -> GossipKeyChange) {
            route(name) { request, viewer in
                try viewer.require(
                    viewer.mayChange,
                    toDo: "see or change the gossip keys",
                    next: "sudo weft gossip keys list"
                )
                return try await reports.gossipKeys(try await change(request))
            }
        }
        keyRoute(.keys) { _ in .list }
        keyRoute(.installKey) { .install(try await body(of: $0)) }
        keyRoute(.useKey) { .use(try await body(of: $0)) }
        keyRoute(.removeKey) { .remove(try await body(of: $0)) }
        route(.captureOn) { _, viewer in
            try viewer.require(viewer.mayChange, toDo: "turn capture on", next: "sudo weft on")
            return try await reports.setCapture(enabled: true)
        }
        route(.captureOff) { _, viewer in
            try viewer.require(viewer.mayChange, toDo: "turn capture off", next: "sudo weft off")
            return try await reports.setCapture(enabled: false)
        }
        addIdentityRoutes(to: router)
        router.get(RouterPath(APIRoute.metrics.rawValue)) { _, context in
            let viewer = try context.viewer()
            try viewer.require(
                viewer.seesAll,
                toDo: "read the metrics",
                next: "sudo curl --unix-socket \(socketPath) http://weft/metrics"
            )
            let text = try await reports.metrics()
            return Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: text))
            )
        }
        return router
    }
}

extension Router<APIContext> {
    /// Answers a route with JSON.
    func add<Answer: Encodable & Sendable>(
        _ route: APIRoute,
        _ answer: @escaping @Sendable (Request, Viewer) async throws -> Answer
    ) {
        on(RouterPath(route.rawValue), method: route.method == "POST" ? .post : .get) { request, context in
            try jsonResponse(await answer(request, context.viewer()))
        }
    }
}

/// The JSON that a request brings. `BodyGate` has read it whole.
func body<Value: Decodable>(of request: Request) async throws -> Value {
    let bytes = try await request.body.collect(upTo: BodyGate.bodyBytesMax)
    do {
        return try JSONDecoder().decode(Value.self, from: Data(bytes.readableBytesView))
    } catch {
        throw APIFailure(
            .badRequest,
            code: "bad-body",
            text: "\(request.method.rawValue) \(request.uri.path): its body is not the JSON that belongs there",
            next: "weft help"
        )
    }
}

/// `?after=N`
private func eventNumber(_ request: Request) throws -> UInt64? {
    guard let text = request.uri.queryParameters["after"] else { return nil }
    guard let number = UInt64(text) else {
        throw APIFailure(
            .badRequest,
            code: "bad-parameter",
            text: "after=\(text.prefix(32)) is not the number of an event",
            next: "weft events"
        )
    }
    return number
}

/// `?wait=SECONDS`
private func eventWait(_ request: Request) throws -> Duration {
    guard let text = request.uri.queryParameters["wait"] else { return .zero }
    guard let seconds = Int(text), (0...30).contains(seconds) else {
        throw APIFailure(
            .badRequest,
            code: "bad-parameter",
            text: "wait=\(text.prefix(32)) is not a number of seconds from 0 to 30",
            next: "weft events"
        )
    }
    return .seconds(seconds)
}

/// `?last=N`
private func decisionCount(_ request: Request) throws -> Int {
    let range = 1...4096
    guard let text = request.uri.queryParameters["last"] else { return 20 }
    guard let count = Int(text), range.contains(count) else {
        throw APIFailure(
            .badRequest,
            code: "bad-parameter",
            text: "last=\(text.prefix(32)) is not a number from 1 to 4096",
            next: "weft decisions --last 20"
        )
    }
    return count
}

/// `?id=ID`
private func decisionID(_ request: Request) throws -> ConnectionID? {
    guard let text = request.uri.queryParameters["id"] else { return nil }
    guard text.utf8.count <= 16, let number = UInt64(text, radix: 16) else {
        throw APIFailure(
            .badRequest,
            code: "bad-parameter",
            text: "id=\(text.prefix(32)) is no id of a decision: up to 16 hexadecimal digits",
            next: "weft decisions --last 20"
        )
    }
    return ConnectionID(number: number)
}

extension Viewer {
    func require(_ allowed: Bool, toDo what: String, next: String) throws {
        guard allowed else {
            throw APIFailure(
                .forbidden,
                code: "not-allowed",
                text: "uid \(uid) may not \(what)",
                next: next
            )
        }
    }
}

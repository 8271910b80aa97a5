internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import WeftAPI

/// A request that is refused, with the words that its sender sees.
struct APIFailure: Error, Sendable {
    let status: HTTPResponse.Status
    let answer: ErrorResponse

    init(_ status: HTTPResponse.Status, code: String, text: String, next: String) {
        self.status = status
        self.answer = ErrorResponse(code: code, text: text, next: next)
    }
}

/// Encodes an answer with sorted keys, so that equal answers are equal bytes.
func jsonResponse(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var buffer = ByteBuffer()
    buffer.writeBytes(try encoder.encode(value))
    return Response(status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: buffer))
}

/// What is known of a request beside its text.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by `Identification`, which stands before every route.
    var identified: Viewer?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.channel = source.channel
    }

    func viewer() throws -> Viewer {
        guard let identified else {
            throw APIFailure(
                .internalServerError,
                code: "internal",
                text: "the request was not identified",
                next: "journalctl -u weftd"
            )
        }
        return identified
    }
}

/// Finds out who is asking, before anything is answered.
struct Identification: RouterMiddleware {
    func handle(
        _ request: Request,
        context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let provider = context.channel as? any SocketOptionProvider else {
            throw APIFailure(
                .forbidden,
                code: "no-credentials",
                text: "the connection carries no credentials",
                next: "use the Unix socket"
            )
        }
        let peer: PeerCredentials
        do {
            peer = try await provider.unsafeGetSocketOption(
                level: .socket,
                name: .init(rawValue: peerCredentialsOption)
            ).get()
        } catch {
            // The client has gone, and nobody will read this.
            throw APIFailure(.forbidden, code: "no-credentials", text: "\(error)", next: "weft help")
        }
        var context = context
        context.identified = Viewer(peer)
        return try await next(request, context)
    }

    /// SO_PEERCRED (asm-generic/socket.h).
    private var peerCredentialsOption: CInt { 17 }
}

/// Keeps bodies away from requests that have none, and reads those of others whole before anything is done about them.
/// What a body holds is never taken for a request.
struct BodyGate: RouterMiddleware {
    /// The largest request is a join with 100 names.
    static let bodyBytesMax = 64 * 1024

    func handle(
        _ request: Request,
        context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        if let route = APIRoute(rawValue: request.uri.path), route.expectsBody {
            var request = request
            do {
                _ = try await request.collectBody(upTo: Self.bodyBytesMax)
            } catch is NIOTooManyBytesError {
                throw APIFailure(
                    .contentTooLarge,
                    code: "body-too-large",
                    text: "\(request.method.rawValue) \(route.rawValue): its body is longer than "
                        + "\(Self.bodyBytesMax) bytes",
                    next: "weft help"
                )
            }
            return try await next(request, context)
        }
        let length = request.headers[.contentLength]
        guard request.headers[.transferEncoding] == nil, length == nil || length == "0" else {
            throw APIFailure(
                .contentTooLarge,
                code: "body-not-expected",
                text: "\(request.method.rawValue) \(request.uri.path.prefix(200)): this request has no body",
                next: "weft help"
            )
        }
        return try await next(request, context)
    }
}

/// Turns every failure into an `ErrorResponse`; unexpected ones are logged with their cause and shown without it.
struct ErrorAnswers: RouterMiddleware {
    let logger: Logger

    func handle(
        _ request: Request,
        context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as APIFailure {
            return try jsonResponse(failure.answer, status: failure.status)
        } catch let error as HTTPError {
            let answer = ErrorResponse(
                code: error.status == .notFound ? "not-found" : "bad-request",
                text: "\(request.method.rawValue) \(request.uri.path.prefix(200)): \(error.status.reasonPhrase)",
                next: "weft help"
            )
            return try jsonResponse(answer, status: error.status)
        } catch {
            logger.error("API request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            let answer = ErrorResponse(
                code: "internal",
                text: "weftd could not answer",
                next: "journalctl -u weftd -n 50"
            )
            return try jsonResponse(answer, status: .internalServerError)
        }
    }
}

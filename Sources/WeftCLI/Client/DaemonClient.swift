internal import FoundationEssentials
internal import WeftAPI

/// weftd as the commands see it: questions with typed answers. Stateless; each question is a connection of its own.
package struct DaemonClient: Sendable {
    private let transport: any DaemonTransport
    let socket: SocketPath

    package init(transport: any DaemonTransport, socket: SocketPath) {
        self.transport = transport
        self.socket = socket
    }

    /// An answer twice: as a value for people's tables, and as the JSON text that it came as.
    struct Answer<Value> {
        let value: Value
        var json: JSONText
    }

    /// Asks, and reads the answer as `Value`. Throws also when weftd refuses, or when the answer cannot be read.
    func ask<Value: Decodable>(
        _ type: Value.Type,
        _ route: APIRoute,
        query: String? = nil,
        timeout: Duration? = nil
    ) async throws(DaemonError) -> Answer<Value> {
        try await ask(type, DaemonRequest(route, query: query, timeout: timeout))
    }

    /// Asks with something to tell: `message` goes as JSON.
    func tell<Value: Decodable>(
        _ message: some Encodable,
        _ route: APIRoute,
        timeout: Duration? = nil,
        answer type: Value.Type
    ) async throws(DaemonError) -> Answer<Value> {
        try await ask(type, DaemonRequest(route, body: jsonBytes(message), timeout: timeout))
    }

    private func ask<Value: Decodable>(
        _ type: Value.Type,
        _ request: DaemonRequest
    ) async throws(DaemonError) -> Answer<Value> {
        let answer = try await transport.exchange(request, at: socket)
        guard (200..<300).contains(answer.status) else { throw failure(answer, request) }
        let json: JSONText
        do {
            json = try JSONText(answer.body)
        } catch {
            throw .notJSON(socket, beginning: beginning(of: answer.body))
        }
        do {
            return Answer(value: try JSONDecoder().decode(Value.self, from: Data(answer.body)), json: json)
        } catch {
            throw .unknownForm(target: request.target, detail: decodingFault(error))
        }
    }

    private func failure(_ answer: DaemonAnswer, _ request: DaemonRequest) -> DaemonError {
        // A failure without an ErrorResponse has no more to tell than its status.
        guard let refusal = try? JSONDecoder().decode(ErrorResponse.self, from: Data(answer.body)) else {
            return .failedStatus(answer.status, target: request.target)
        }
        return .refused(code: refusal.code, text: refusal.text, next: refusal.next)
    }
}

/// A message of weft's own as JSON, its names sorted: structures of strings and numbers, which always can be encoded.
func jsonBytes(_ message: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    do {
        return try Array(encoder.encode(message))
    } catch {
        preconditionFailure("\(type(of: message)) cannot be encoded as JSON: \(error)")
    }
}

/// The first characters of a text that is not what it should be.
private func beginning(of bytes: [UInt8]) -> String {
    let text = printable(String(decoding: bytes.prefix(40), as: UTF8.self))
    return bytes.count > 40 ? text + "..." : text
}

/// Where and why decoding failed, such as ``field `capture.state` is missing``.
private func decodingFault(_ error: any Error) -> String {
    func name(_ path: [any CodingKey]) -> String {
        let joined = path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return joined.isEmpty ? "the whole" : "field `\(printable(joined))`"
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "\(name(context.codingPath + [key])) is missing"
    case .valueNotFound(_, let context): return "\(name(context.codingPath)) is null"
    case .typeMismatch(_, let context): return "\(name(context.codingPath)) is of another type"
    // Its path is lost when a number is out of range or a string has a broken escape.
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
        return "a number or a string in it cannot be read"
    case .dataCorrupted(let context): return "\(name(context.codingPath)) has a value that is not known"
    default: return "\(error)"
    }
}

extension DaemonClient.Answer {
    /// The answer with only those elements of its list that are wanted, in both forms.
    func filtered<Element>(_ isWanted: (Element) -> Bool) -> Self where Value == [Element] {
        let wanted = value.map(isWanted)
        var json = json
        json.filterElements { wanted[$0] }
        return Self(value: zip(value, wanted).filter(\.1).map(\.0), json: json)
    }
}

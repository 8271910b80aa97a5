import FoundationEssentials
import WeftAPI

/// An HTTP/1.1 response as it came over the wire.
struct HTTPAnswer: Equatable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: String

    var contentType: String? { headers["content-type"] }

    /// The body as the answer that every refused request gets; nil when it is not one.
    var error: ErrorResponse? {
        guard contentType == "application/json" else { return nil }
        return try? JSONDecoder().decode(ErrorResponse.self, from: Data(body.utf8))
    }

    /// Takes the first whole response off `bytes`. One to HEAD has a length and no body.
    static func first(in bytes: inout [UInt8], toHead: Bool = false) -> HTTPAnswer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let length = toHead ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count - end.upperBound >= length else { return nil }
        let body = String(decoding: bytes[end.upperBound..<end.upperBound + length], as: UTF8.self)
        bytes.removeFirst(end.upperBound + length)
        return HTTPAnswer(status: status, headers: headers, body: body)
    }

    /// All responses in `bytes`, and what follows the last one.
    static func all(in bytes: [UInt8]) -> (answers: [HTTPAnswer], rest: [UInt8]) {
        var rest = bytes
        var answers: [HTTPAnswer] = []
        while let answer = first(in: &rest) { answers.append(answer) }
        return (answers, rest)
    }
}

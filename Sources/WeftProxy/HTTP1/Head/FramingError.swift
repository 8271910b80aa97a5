/// Why a message is not taken: each is a place where two recipients could see different messages in the same bytes, or
/// where RFC 9110 and RFC 9112 leave no meaning.
///
/// The raw values are what decisions and counters say. In a request it is answered with `status` and the connection
/// closes; in a response it is a protocol error of the upstream. A reader that has failed stays failed.
package enum FramingError: String, Error, Sendable, Hashable, CaseIterable {
    // Lines of a head or a trailer section.
    /// LF without CR (RFC 9112, section 2.2).
    case bareLineFeed = "bare-lf"
    /// CR without LF.
    case bareCarriageReturn = "bare-cr"
    case nul = "nul"
    /// Any other control character but a tab.
    case controlCharacter = "control-character"
    /// A second empty line before a request line, or one before a status line.
    case emptyStartLine = "empty-start-line"
    /// The head is larger than `HTTP1Limits.headSize`.
    case headTooLarge = "head-too-large"
    /// The request line alone is.
    case requestLineTooLong = "request-line-too-long"

    // Request line.
    /// Not `method SP target SP version` with one space each.
    case malformedRequestLine = "malformed-request-line"
    case malformedMethod = "malformed-method"
    /// HEAD or CONNECT in other letters: somebody who ignores case would expect another body. Or PRI.
    case ambiguousMethod = "ambiguous-method"
    case malformedVersion = "malformed-version"
    /// A version, but neither 1.0 nor 1.1.
    case unsupportedVersion = "unsupported-version"
    /// Not a request target, or not one that this method may have (RFC 9112, section 3.2).
    case malformedTarget = "malformed-target"

    // Status line.
    case malformedStatusLine = "malformed-status-line"

    // Field lines.
    case malformedFieldName = "malformed-field-name"
    case emptyFieldName = "empty-field-name"
    case whitespaceBeforeColon = "whitespace-before-colon"
    case missingColon = "missing-colon"
    /// A line that begins with white space: a folded value, or white space behind the start line.
    case foldedLine = "folded-line"

    // Host (RFC 9112, section 3.2).
    case missingHost = "missing-host"
    case duplicateHost = "duplicate-host"
    case malformedHost = "malformed-host"
    /// `Host` differs from the authority in the request target.
    case hostMismatch = "host-mismatch"

    // Length of the body (RFC 9112, section 6).
    case malformedLength = "malformed-length"
    /// A number that no 63 bits hold.
    case lengthTooLarge = "length-too-large"
    /// More than one length, in lines or in a list, equal or not.
    case duplicateLength = "duplicate-length"
    case lengthWithTransferEncoding = "length-with-transfer-encoding"
    case malformedTransferEncoding = "malformed-transfer-encoding"
    case duplicateTransferEncoding = "duplicate-transfer-encoding"
    case transferEncodingInHTTP10 = "transfer-encoding-in-http-1.0"
    case chunkedNotLast = "chunked-not-last"
    case chunkedTwice = "chunked-twice"
    /// A coding other than chunked, in front of it.
    case unknownTransferCoding = "unknown-transfer-coding"
    /// `Connection` names a field that framing or routing depends on, so that the next hop may drop it.
    case framingFieldInConnection = "framing-field-in-connection"
    /// A body where no message of this kind has one: CONNECT, 1xx, 204.
    case unexpectedBody = "unexpected-body"

    // Chunks (RFC 9112, section 7.1).
    case malformedChunkSize = "malformed-chunk-size"
    case chunkTooLarge = "chunk-too-large"
    case malformedChunkExtension = "malformed-chunk-extension"
    /// Chunk lines that are out of all proportion to the data.
    case tooMuchChunkOverhead = "too-much-chunk-overhead"
    /// What follows the data of a chunk is not CRLF.
    case malformedChunkEnd = "malformed-chunk-end"
    case trailersTooLarge = "trailers-too-large"
    /// A field in the trailer section that only a head may have (RFC 9110, section 6.5.1).
    case forbiddenTrailer = "forbidden-trailer"

    // Responses to what was not asked.
    /// 101 that was not asked for, came before the end of the request, or does not say to what.
    case unexpectedSwitch = "unexpected-switch"
    case tooManyInterimResponses = "too-many-interim-responses"

    /// What a client is told whose request has it.
    package var status: UInt16 {
        switch self {
        case .requestLineTooLong: 414
        case .headTooLarge, .trailersTooLarge: 431
        case .unknownTransferCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }
}

/// Bounds of what one message may hold.
package enum HTTP1Limits {
    /// Bytes of a head, from the first of the start line to the empty line.
    package static let headSize = 65536
    /// Bytes of a trailer section.
    package static let trailerSize = 16384
    /// Bytes of chunk lines beyond what is usual: 16 for each chunk and twice its data are free.
    package static let chunkOverhead = 16384
    /// Interim responses to one request.
    package static let interimResponses = 64
    /// Bytes of a refused request's body that are read and dropped, so that the connection can go on.
    package static let discardedBody: UInt64 = 65536
}

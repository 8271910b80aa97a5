/// The methods of RFC 9110 and PATCH; any other token is a method too (RFC 9110, section 9.1). Case matters.
package enum RequestMethod: UInt8, Sendable, Hashable, CaseIterable {
    case get
    case head
    case post
    case put
    case delete
    case connect
    case options
    case trace
    case patch
    /// Another one; `RequestHead.methodName` has it.
    case other

    /// `packed` are the last eight bytes of the method, the last one lowest; methods with more than seven bytes are
    /// `other`.
    init(packed: UInt64) throws(FramingError) {
        switch packed {
        case 0x47_4554: self = .get
        case 0x504f_5354: self = .post
        case 0x50_5554: self = .put
        case 0x4845_4144: self = .head
        case 0x4445_4c45_5445: self = .delete
        case 0x4f_5054_494f_4e53: self = .options
        case 0x50_4154_4348: self = .patch
        case 0x54_5241_4345: self = .trace
        case 0x43_4f4e_4e45_4354: self = .connect
        // HTTP/2's preface begins so (RFC 9113, section 3.4): who looks at a few bytes only would change the protocol.
        case 0x50_5249: throw .ambiguousMethod
        default:
            // Letters that differ in the bit of case only; no token has a byte whose other case were a control character.
            let folded = packed & 0xdfdf_dfdf_dfdf_dfdf
            guard folded != 0x4845_4144, folded != 0x43_4f4e_4e45_4354 else { throw .ambiguousMethod }
            self = .other
        }
    }

    /// Whether repeating the request does what sending it once does (RFC 9110, section 9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }
}

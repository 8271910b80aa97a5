/// Finds the end of one body (RFC 9112, sections 6 and 7) in bytes that are forwarded as they come.
///
/// Stops and goes on at any byte, and costs nothing for each byte of data: only the lines between chunks and the
/// trailers are looked at. A failure is final.
package struct BodyScanner: Sendable {
    private enum State: Sendable {
        case length(UInt64)
        case chunked(ChunkScanner)
        case untilClose
        case complete
        case failed(FramingError)
    }

    private var state: State

    package init(_ framing: BodyFraming) {
        switch framing {
        case .empty, .length(0): state = .complete
        case .length(let length): state = .length(length)
        case .chunked: state = .chunked(ChunkScanner())
        case .untilClose: state = .untilClose
        }
    }

    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Whether the body is complete when the connection ends here.
    package var mayEndHere: Bool {
        switch state {
        case .untilClose, .complete: true
        case .length, .chunked, .failed: false
        }
    }

    /// The bytes of the body that are still to come, if that is known.
    package var remaining: UInt64? {
        switch state {
        case .length(let length): length
        case .complete: 0
        case .chunked, .untilClose, .failed: nil
        }
    }

    /// Moves `offset` behind the bytes that belong to the body, or to the byte that is wrong when it throws: all before
    /// it may be forwarded. `bytes` need not hold what was scanned before.
    package mutating func scan(_ bytes: RawSpan, at offset: inout Int) throws(FramingError) {
        switch state {
        case .length(let length):
            let count = min(length, UInt64(bytes.byteCount - offset))
            offset += Int(count)
            state = count == length ? .complete : .length(length - count)
        case .chunked(var chunks):
            do throws(FramingError) {
                state = try chunks.scan(bytes, at: &offset) ? .complete : .chunked(chunks)
            } catch {
                state = .failed(error)
                throw error
            }
        case .untilClose: offset = bytes.byteCount
        case .complete: break
        case .failed(let error): throw error
        }
    }

    /// `scan` for who has something to do with the bytes before the failure first.
    mutating func failure(scanning bytes: RawSpan, at offset: inout Int) -> FramingError? {
        do throws(FramingError) {
            try scan(bytes, at: &offset)
            return nil
        } catch {
            return error
        }
    }
}

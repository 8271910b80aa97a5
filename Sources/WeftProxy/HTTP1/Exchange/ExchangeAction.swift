extension ExchangeMachine {
    /// What the shell has to do, in order. Bytes are counted off the front of the buffer that they were received in, and
    /// leave it with the action.
    package enum Action: Sendable, Hashable {
        /// A request: decide about it, then call `upstreamReady` or `refuse`. Its head stays at the front of the client's
        /// buffer until then.
        case request(RequestHead)
        /// Take the head's `length` bytes off the client's buffer and write them to the upstream, without the `leading`
        /// ones and with what is inserted. Keep a copy while the request may be tried again.
        case sendRequest(RequestHead)
        /// Write the copy: the head, and all of the body that `sendRequestBody` has named so far.
        case resendRequest(RequestHead)
        case sendRequestBody(Int)
        /// Nothing of the request follows.
        case endRequest
        /// After everything written so far: FIN to the upstream, as the client has sent one.
        case endUpstreamOutput
        /// A gateway error, of which nothing has gone to the client and which stays in the upstream's buffer: call
        /// `passResponse` or `retryRequest` before anything else.
        case judgeResponse(ResponseHead)
        /// A response's head, interim or final, to the client. `closes`: insert `connection: close`.
        case sendResponse(ResponseHead, closes: Bool)
        case sendResponseBody(Int)
        /// Nothing of the response follows.
        case endResponse
        /// Drop bytes that go nowhere.
        case dropClient(Int)
        case dropUpstream(Int)
        /// The upstream is gone and nothing final has been sent to the client: try another one (`upstreamReady`), or give
        /// up (`refuse`).
        case attemptFailed(LostAttempt)
        /// Write an answer of weft's own: with `connection: close` where it `closes`, and without a body to HEAD.
        case answer(status: UInt16, closes: Bool)
        /// The upstream is not needed any more: back to the pool when it is reusable, else close it. Bytes of it that are
        /// still in the buffer belong to nobody.
        case releaseUpstream(reusable: Bool)
        /// Reset the upstream, so that what it has of the request cannot pass for the whole.
        case abortUpstream
        /// The record of this request is complete.
        case endExchange(ExchangeEnding)
        /// Call `clientReceived` with what is in the client's buffer, even if that is nothing.
        case scanClient

        // The last action of a connection is one of these, and comes once.

        /// From now on both sides are opaque: give what is in the buffers to a relay, and the client's end if it has come.
        case becomeOpaque
        /// FIN behind everything written; then drop what still comes until the client ends too or the linger limit has
        /// passed, so that a reset does not overtake the response (RFC 9112, section 9.6).
        case endClient
        /// Reset the client: what it has of the response is not the whole.
        case abortClient
    }
}

/// Why an upstream did not bring a response.
package struct LostAttempt: Sendable, Hashable {
    package enum Cause: Sendable, Hashable {
        /// FIN before the response's head was complete.
        case ended
        /// Reset, or broken in another way.
        case failed
        case malformed(FramingError)
        /// Given up by weft: a timeout.
        case abandoned
    }

    package let cause: Cause
    /// Whether any byte of a response came: then it is not tried again.
    package let sawResponse: Bool

    package init(_ cause: Cause, sawResponse: Bool) {
        self.cause = cause
        self.sawResponse = sawResponse
    }
}

/// How one request ended.
package enum ExchangeEnding: Sendable, Hashable {
    /// The client has the whole response, which came from the upstream.
    case completed
    /// The connection went on as something else: 101, or a tunnel.
    case upgraded
    /// weft answered itself.
    case refused(status: UInt16)
    case malformedRequest(FramingError)
    /// The response broke off, or could not be told apart from what follows it, when the client already had a part.
    case malformedResponse(FramingError)
    case responseTruncated
    /// The client went before it had the whole response, or before it had sent the whole request.
    case clientLeft
    /// The client did not go on sending.
    case clientTimeout
    /// weft ended it: a deadline, or the end of draining.
    case cancelled
}

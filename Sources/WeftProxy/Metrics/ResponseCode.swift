/// The exact status of a response, as far as it is counted: for dashboards that ask for single codes. The codes of
/// HTTP's registry and of gRPC have a place of their own, others are counted by their class.
package struct ResponseCode: Hashable, Sendable {
    /// `404`; `4xx` for a code that the registry does not know; `0` where no response came.
    package let http: String
    /// gRPC's own number; nil for what is not gRPC.
    package let grpc: UInt32?

    /// IANA's "HTTP Status Code Registry", final ones.
    private static let registered: [ClosedRange<UInt16>] = [
        101...101, 200...208, 226...226, 300...308, 400...418, 421...426, 428...429, 431...431, 451...451, 500...508,
        510...511,
    ]
    private static let known = registered.flatMap { Array($0) }
    /// gRPC has 0...16; a number that it does not have is 2, UNKNOWN.
    private static let grpcCount = 17

    /// The known codes, then one place for each class and for none, then gRPC's.
    private static let othersStart = known.count
    private static let grpcStart = othersStart + 6
    static let indexCount = grpcStart + grpcCount

    /// The place of each status from 100 to 599.
    private static let places: [UInt8] = (100...599).map { status in
        UInt8(known.firstIndex(of: UInt16(status)) ?? othersStart + status / 100)
    }

    static func index(of status: UInt16?, grpc grpcStatus: UInt32?) -> Int {
        if let grpcStatus { return grpcStart + Int(grpcStatus < grpcCount ? grpcStatus : 2) }
        guard let status, 100...599 ~= status else { return othersStart }
        return Int(places[Int(status) - 100])
    }

    init(index: Int) {
        switch index {
        case ..<Self.othersStart: (http, grpc) = ("\(Self.known[index])", nil)
        case Self.othersStart: (http, grpc) = ("0", nil)
        case ..<Self.grpcStart: (http, grpc) = ("\(index - Self.othersStart)xx", nil)
        // A status of gRPC comes with 200, whatever it is (grpc, doc/PROTOCOL-HTTP2.md).
        default: (http, grpc) = ("200", UInt32(index - Self.grpcStart))
        }
    }
}

extension ResponseCode {
    /// Of an outcome with a flag: the code of weft's own answer, or, when the flag came behind the head of a response,
    /// what is known of that.
    package init(of flag: ResponseFlag, seenAs response: ResponseClass) {
        let own = flag.httpStatus.map(ResponseClass.init(status:))
        switch response {
        case .none: (http, grpc) = ("0", nil)
        case .grpcOK: (http, grpc) = ("200", 0)
        case .grpcClientError, .grpcServerError: (http, grpc) = ("200", UInt32(flag.grpcStatus.rawValue))
        case _ where response == own: (http, grpc) = (flag.httpStatus.map { "\($0)" } ?? "0", nil)
        default: (http, grpc) = (response.rawValue, nil)
        }
    }
}

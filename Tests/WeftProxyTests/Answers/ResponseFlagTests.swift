import Testing

@testable import WeftProxy

@Suite struct ResponseFlagTests {
    /// The table of the documentation, once more.
    static let table: [(flag: ResponseFlag, http: UInt16?, grpc: UInt8)] = [
        (.noEndpoint, 503, 14), (.connectFailed, 503, 14), (.connectTimeout, 504, 14), (.tunnelFailed, 503, 14),
        (.timeout, 504, 4), (.tryTimeout, 504, 4), (.upstreamReset, 502, 14), (.upstreamProtocolError, 502, 13),
        (.denied, 403, 7), (.rateLimited, 429, 8), (.overloaded, 503, 14), (.pendingOverflow, 503, 14),
        (.pendingTimeout, 503, 14), (.connectionLimit, 503, 14), (.draining, 503, 14),
        (.clientProtocolError, 400, 13), (.clientHeadTooLarge, 431, 8), (.clientTimeout, 408, 1),
        (.clientGone, nil, 1), (.unsupported, 501, 12), (.loop, 508, 13), (.internalError, 500, 13),
    ]

    @Test func theTableHasEveryFlagOnce() {
        #expect(Self.table.map(\.flag) == ResponseFlag.allCases)
    }

    @Test(arguments: table)
    func statuses(_ row: (flag: ResponseFlag, http: UInt16?, grpc: UInt8)) {
        #expect(row.flag.httpStatus == row.http)
        #expect(row.flag.grpcStatus.rawValue == row.grpc)
        #expect(row.http.map { !reasonPhrase(of: $0).isEmpty } ?? true)
    }

    @Test func rawValuesAreFieldValues() {
        for flag in ResponseFlag.allCases {
            let isToken = flag.rawValue.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "-") }
            #expect(isToken, "\(flag)")
        }
    }

    @Test func placesInTablesAreTheirOwn() {
        #expect(ResponseFlag.allCases.map(\.index) == Array(1..<ResponseFlag.indexCount))
        #expect(ResponseClass.allCases.map(\.index) == Array(0..<ResponseClass.indexCount))
    }

    /// What the client did is no failure of the service; what is weft's or the application's is.
    @Test func faultsHaveASide() {
        let clients = ResponseFlag.allCases.filter(\.isClientFault)
        #expect(
            clients == [
                .denied, .rateLimited, .clientProtocolError, .clientHeadTooLarge, .clientTimeout, .clientGone,
                .unsupported,
            ]
        )
        #expect(clients.allSatisfy { !isFailure(ResponseClass(status: $0.httpStatus ?? 0), $0) })
        #expect(ResponseFlag.allCases.filter { !$0.isClientFault }.allSatisfy { isFailure(.success, $0) })
    }

    @Test(
        arguments: [
            (0, .none), (99, .none), (100, .informational), (101, .informational), (200, .success),
            (299, .success), (304, .redirection), (400, .clientError), (499, .clientError), (500, .serverError),
            (599, .serverError), (600, .none),
        ] as [(UInt16, ResponseClass)]
    )
    func classesByStatus(_ status: UInt16, _ response: ResponseClass) {
        #expect(ResponseClass(status: status) == response)
        #expect(isFailure(response, nil) == (response == .none || response == .serverError))
    }

    @Test func classesByGRPCStatus() {
        let servers = (0...20 as ClosedRange<UInt32>).filter { ResponseClass(grpcStatus: $0) == .grpcServerError }
        #expect(servers == [2, 4, 12, 13, 14, 15, 17, 18, 19, 20])
        #expect((0...20).filter { ResponseClass(grpcStatus: $0) == .grpcOK } == [0])
        #expect(isFailure(.grpcServerError, nil) && !isFailure(.grpcClientError, nil) && !isFailure(.grpcOK, nil))
    }
}

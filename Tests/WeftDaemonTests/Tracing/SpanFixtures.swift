import Testing
import WeftCore

/// Decisions about requests that are reported.
extension Decision {
    static let traceFacts = TraceFacts(traceHigh: 0xa, traceLow: 0xb, parent: 0x1, callerSpan: 0x2, calleeSpan: nil)

    /// `web` of shop asked `api` of system.
    static func request(
        _ line: String = "GET /orders/7",
        number: UInt64 = 5,
        status: UInt16? = 200,
        flag: String? = nil,
        tries: Int = 1,
        wire: String = "http/1.1",
        detail: String? = nil,
        trace: TraceFacts? = traceFacts
    ) throws -> Decision {
        Decision(
            id: ConnectionID(number: number),
            started: WallTime(millisecondsSince1970: 1_700_000_000_123),
            source: Source(
                workload: nil,
                owner: nil,
                address: ClientAddress(try #require(NetworkAddress("10.0.0.1:40000")))
            ),
            destination: OriginalDestination(try #require(NetworkAddress("240.0.0.1:8080"))),
            service: ServiceName("api"),
            path: .peer,
            security: .mtls,
            identity: IdentityPair(
                source: SpiffeID("spiffe://fra1/ns/shop/sa/web"),
                destination: SpiffeID("spiffe://fra1/ns/system/sa/api")
            ),
            wire: wire,
            request: RequestFacts(
                connection: ConnectionID(number: 1),
                line: line,
                status: status,
                flag: flag,
                tries: tries,
                target: NetworkAddress("10.0.0.2:80"),
                trace: trace?.began(1_700_000_000_123_456_789)
            ),
            detail: detail,
            bytesOut: 0,
            bytesIn: 5,
            duration: .microseconds(1500),
            outcome: Outcome(.completed, side: .client)
        )
    }
}

import Testing
import WeftCore

@testable import WeftProxy

/// Exact codes: each is counted for itself or, when it is none of the registry's, by its class.
@Suite struct ResponseCodeTests {
    private func text(_ status: UInt16?, grpc: UInt32? = nil) -> String {
        let code = ResponseCode(index: ResponseCode.index(of: status, grpc: grpc))
        return code.http + (code.grpc.map { " grpc \($0)" } ?? "")
    }

    @Test(
        arguments: [
            (nil, "0"), (99, "0"), (600, "0"), (101, "101"), (103, "1xx"), (200, "200"), (208, "208"), (209, "2xx"),
            (304, "304"), (404, "404"), (418, "418"), (419, "4xx"), (451, "451"), (499, "4xx"), (500, "500"),
            (511, "511"),
            (599, "5xx"),
        ] as [(UInt16?, String)]
    )
    func aStatusHasItsPlace(_ status: UInt16?, _ expected: String) { #expect(text(status) == expected) }

    @Test(arguments: [(0, 0), (5, 5), (16, 16), (17, 2), (.max, 2)] as [(UInt32, UInt32)])
    func soDoesOneOfGRPC(_ status: UInt32, _ expected: UInt32) {
        #expect(text(200, grpc: status) == "200 grpc \(expected)")
    }

    @Test func noTwoPlacesAreTheSame() {
        #expect(Set((0..<ResponseCode.indexCount).map(ResponseCode.init(index:))).count == ResponseCode.indexCount)
    }

    @Test func aFlagSaysTheCodeOrWhatIsKnownOfIt() {
        func text(_ flag: ResponseFlag, _ response: ResponseClass) -> String {
            let code = ResponseCode(of: flag, seenAs: response)
            return code.http + (code.grpc.map { " grpc \($0)" } ?? "")
        }
        #expect(text(.rateLimited, .clientError) == "429")
        #expect(text(.clientGone, .none) == "0")
        #expect(text(.clientGone, .success) == "2xx", "the response had begun")
        #expect(text(.upstreamReset, .serverError) == "502")
        #expect(text(.noEndpoint, .grpcServerError) == "200 grpc 14")
    }

    @Test func codesAreCountedOnlyWithoutAFlagAndSurviveMerging() throws {
        var metrics = RequestMetrics()
        let series = RequestSeries.between("web", "api")
        let id = metrics.id(of: series)
        for (status, flag) in [(200, nil), (200, nil), (404, nil), (503, .noEndpoint)] as [(UInt16, ResponseFlag?)] {
            var record = RequestRecord(
                response: ResponseClass(status: status),
                flag: flag,
                latency: .zero,
                lastAttempt: .zero
            )
            record.status = status
            metrics.record(record, in: id)
        }
        var totals = RequestTotals()
        totals.add(metrics.takeDelta())
        var row = try #require(totals.rows[series]).effective
        #expect(row.codes.map { "\($0.code.http) \($0.count)" } == ["200 2", "404 1"])
        row.merge(row)
        #expect(row.codes.map { "\($0.code.http) \($0.count)" } == ["200 4", "404 2"])
        #expect(row.count == 8 && row.buckets[0] == 8)
    }

    @Test func waysOfTheSameNamesAreOneRowByName() {
        var metrics = RequestMetrics()
        let plain = RequestSeries.between("web", "api")
        let series = [Security.mtls, .plaintext].map { security in
            RequestSeries(
                source: plain.source,
                sourceTenant: plain.sourceTenant,
                destination: plain.destination,
                service: plain.service,
                kind: plain.kind,
                perspective: plain.perspective,
                security: security
            )
        }
        for series in series {
            let record = RequestRecord(response: .success, latency: .zero, lastAttempt: .zero)
            metrics.record(record, in: metrics.id(of: series))
        }
        var totals = RequestTotals()
        var rolling = RollingStat(now: Instant(nanoseconds: 0))
        let delta = metrics.takeDelta()
        totals.add(delta)
        rolling.add(delta)
        rolling.tick(now: Instant(nanoseconds: 1))
        #expect(totals.rows.count == 2)
        #expect(totals.rows(by: \.named).mapValues(\.effective.count) == [plain: 2])
        #expect(rolling.rows.map(\.series) == [plain])
    }
}

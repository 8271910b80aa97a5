import Testing
import WeftAPI
import WeftTestRig

extension EndToEnd {
    /// libcurl, which takes a tunnel for an HTTP/2 proxy.
    @Suite struct CurlTests {
        private struct Report: Decodable {
            /// Of libcurl: 0 is success, 7 could not connect, 56 a failure while receiving.
            var code: Int
            var error: String
            var status: Int
            var body: String
        }

        @Test func libcurlReachesAService() async throws {
            try await Outsider.with { outsider in
                try await outsider.member.startNginx()
                try await waitUntil("nginx is seen") {
                    try await outsider.member.services().contains { $0.name == "nginx" }
                }
                func ask(_ name: String, _ port: Int) async throws -> Report {
                    let url = "http://\(outsider.member.address4):\(port)/"
                    let arguments = "proxied.py \(outsider.node) \(Outsider.pki) \(name) \(url)"
                    return try await outsider.program(Report.self, arguments, within: .seconds(30))
                }
                let good = try await ask("outsider", 80)
                #expect(good.code == 0 && good.status == 200 && good.body == "woven\n", "\(good)")
                let closed = try await ask("outsider", 9999)
                #expect(closed.code == 7, "\(closed)")
                for name in ["foreign", "rogue"] {
                    let refused = try await ask(name, 80)
                    #expect(refused.code == 56 || refused.code == 35, "\(refused)")
                }
            }
        }
    }
}

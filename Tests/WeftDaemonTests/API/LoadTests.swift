import Glibc
import Testing
import WeftTestRig

@testable import WeftDaemon

extension APITests {
    /// In a process of its own, as it changes what the whole process may open.
    @Suite("Load")
    struct LoadTests {
        @Test("A thousand idle connections keep nobody from an answer")
        func idleConnections() async {
            await #expect(processExitsWith: .success) {
                try allowDescriptors(4096)
                try await RunningServer.with(connectionsMax: 2000) { server in
                    let path = server.path
                    let idle = try await blocking { try (0..<1000).map { _ in try UnixClient(path) } }
                    for _ in 0..<10 {
                        let answer = try await server.ask("GET", "/v1/version")
                        #expect(answer.status == 200)
                    }
                    withExtendedLifetime(idle) {}
                }
            }
        }
    }
}

/// Sets this process's own limit, as far as it may.
private func allowDescriptors(_ count: rlim_t) throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { throw TestFailure("getrlimit: errno \(errno)") }
    limit.rlim_cur = min(count, limit.rlim_max)
    guard setrlimit(resource, &limit) == 0 else { throw TestFailure("setrlimit: errno \(errno)") }
}

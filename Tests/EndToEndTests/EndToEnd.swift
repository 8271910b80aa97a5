import Testing
import WeftAPI
import WeftTestRig

/// All end-to-end tests. One after the other: each boots hosts of its own, and some of them measure.
@Suite(.serialized) enum EndToEnd {}

/// Boots `count` hosts with weft installed on the first, as a user would install it.
///
/// - Parameter configuration: `/etc/weft/weft.toml` of the first host; the shipped one when nil.
func withWeft<Result>(
    _ count: Int = 2,
    configuration: String? = nil,
    _ body: ([TestHost]) async throws -> Result
) async throws -> Result {
    try await withHosts(count) { hosts in
        if let configuration { try await hosts[0].write(configuration, to: "/etc/weft/weft.toml") }
        try await hosts[0].installWeft()
        try #require(try await hosts[0].status().capture.state == .on)
        return try await body(hosts)
    }
}

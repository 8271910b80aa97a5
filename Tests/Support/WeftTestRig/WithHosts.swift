/// Boots `count` hosts on one bridge, hands them to `body`, and takes them down however it ends. Then checks that nothing
/// of them is left on this machine.
///
/// When `body` throws, the last log lines of each host's weftd and the failed units go with the error.
package func withHosts<Result>(_ count: Int, _ body: ([TestHost]) async throws -> Result) async throws -> Result {
    precondition((1...5).contains(count), "a lab has room for 1 to 5 hosts, not \(count)")
    let lab = try await Lab.start()
    var hosts: [TestHost] = []
    do {
        for number in 1...count { hosts.append(try await TestHost.boot(number: number, in: lab)) }
        let result = try await body(hosts)
        try await takeDown(hosts, lab)
        return result
    } catch {
        var story = "\(error)"
        for host in hosts { story += await host.lastWords() }
        try? await takeDown(hosts, lab)  // The first error is the one to tell.
        throw RigFailure(story)
    }
}

/// `withHosts(1)`.
package func withHost<Result>(_ body: (TestHost) async throws -> Result) async throws -> Result {
    try await withHosts(1) { try await body($0[0]) }
}

/// Every host is tried before the first failure is told.
private func takeDown(_ hosts: [TestHost], _ lab: Lab) async throws {
    var firstFailure: (any Error)?
    for host in hosts {
        do { try await host.takeDown() } catch { firstFailure = firstFailure ?? error }
    }
    do { try await lab.end() } catch { firstFailure = firstFailure ?? error }
    if let firstFailure { throw firstFailure }
}

extension TestHost {
    /// What this host has to say about a test that failed on it.
    func lastWords() async -> String {
        let script = """
            systemctl --failed --no-legend --plain
            journalctl --sync
            journalctl --no-pager --quiet -o short-monotonic -n 40 -u weftd -u weft-cleanup
            nft list tables
            """
        guard let output = try? await attempt("bash", "-c", script) else { return "" }
        return "\n--- \(name)\n\(output.standardOutput.suffix(6000))"
    }
}

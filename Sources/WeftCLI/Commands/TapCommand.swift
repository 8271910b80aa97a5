internal import ArgumentParser
internal import WeftAPI

/// `weft tap [--source S] [--service S] [--path P] [--status S] [--slower MS]`: goes on until it is interrupted.
struct TapCommand: LiveCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Show requests as they pass through this host, until interrupted.",
        discussion: """
            A line per request: time, source, service, status or response flag, time that it took, tries, method and \
            path. What comes too fast to be looked at is counted on standard error, so that looking never slows the \
            traffic down. With -o json, an object per line.

            Exit status 3 when weftd goes away.
            """
    )

    /// The waiting that weft asks for, of the 30 s that weftd allows.
    private static let waitSeconds = 10

    @Option(help: ArgumentHelp("Only those of this service or unit.", valueName: "name"))
    var source: String?

    @Option(help: ArgumentHelp("Only those to this service.", valueName: "name"))
    var service: String?

    @Option(help: ArgumentHelp("Only those whose path begins so.", valueName: "prefix"))
    var path: String?

    @Option(help: ArgumentHelp("Only those answered so: 503, or 5xx.", valueName: "status"))
    var status: String?

    @Option(help: ArgumentHelp("Only those that took so many milliseconds.", valueName: "ms"))
    var slower: Int?

    @OptionGroup var options: CommonOptions

    func follow(in session: Session) async throws -> ExitStatus {
        let client = try session.client(options)
        var (latest, missed): (UInt64?, UInt64) = (nil, 0)
        while true {
            let answer = try await client.ask(
                TapResponse.self,
                .tap,
                query: query(after: latest),
                timeout: .seconds(Self.waitSeconds + 10)
            )
            let response = answer.value
            if response.missed > missed {
                session.live.note("weft: \(counted(response.missed - missed, "request")) went by too fast to be seen.")
            }
            (latest, missed) = (response.latest, response.missed)
            let lines =
                options.output == .json
                ? answer.json.elements(of: "requests").map { $0.renderedLine() }
                : response.requests.map { tapLine($0, session.style) }
            if !lines.isEmpty { try session.live.write(lines.joined()) }
        }
    }

    private func query(after latest: UInt64?) -> String {
        let wanted = [
            ("wait", "\(Self.waitSeconds)"), ("after", latest.map { "\($0)" }), ("source", source),
            ("service", service),
            ("path", path), ("status", status), ("slower", slower.map { "\($0)" }),
        ]
        return wanted.compactMap { name, value in value.map { "\(name)=\(escaped($0))" } }.joined(separator: "&")
    }

    /// Percent-encoded for a query (RFC 3986, section 3.4): all but letters, digits and what is sure to mean itself.
    private func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain =
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~/".utf8.contains(byte)
            let hex = String(byte, radix: 16, uppercase: true)
            result += isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count < 2 ? "0" : "") + hex
        }
        return result
    }
}

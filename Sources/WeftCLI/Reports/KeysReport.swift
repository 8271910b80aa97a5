internal import WeftAPI

/// What the hosts said about their gossip keys, and how a command about them ends.
struct KeysReport {
    private let response: KeysResponse

    init(_ response: KeysResponse) { self.response = response }

    /// A problem when any host failed or did not answer: hosts with different keys do not hear each other.
    var exitStatus: ExitStatus { response.failures.isEmpty && silent == 0 ? .good : .problem }

    /// The keys, those that hosts send with first; then the hosts that failed.
    func listing(_ style: Style) -> String {
        let keys = response.keys.sorted { ($1.primaryOn, $1.hosts, $0.key) < ($0.primaryOn, $0.hosts, $1.key) }
        if keys.isEmpty, exitStatus == .good {
            return advice("No gossip keys: the hosts talk in the clear.", next: "weft gossip keygen", style)
        }
        let asked = response.hostsAsked
        let columns: [Table.Column] = [
            // Of no use unless whole.
            .word("KEY"), .number("HOSTS") { keys[$0].hosts < asked ? .warning : nil }, .number("PRIMARY"),
        ]
        let table = Table(
            columns,
            rows: keys.map { key in
                [key.key, "\(key.hosts)/\(asked)", key.primaryOn == 0 ? nil : "\(key.primaryOn)/\(asked)"]
            }
        )
        let listed = keys.isEmpty ? "" : table.rendered(style)
        return exitStatus == .good ? listed : (listed.isEmpty ? "" : listed + "\n") + faults(style)
    }

    /// What a change came to: `done` says it of the hosts that did it, as in "Installed on".
    func change(_ done: String, next: String, _ style: Style) -> String {
        let succeeded = max(0, response.hostsAnswered - response.failures.count)
        let text = "\(done) \(humanCount(succeeded)) of \(counted(response.hostsAsked, "host"))."
        return exitStatus == .good ? advice(text, next: next, style) : text + "\n\n" + faults(style)
    }

    private func faults(_ style: Style) -> String {
        let lines = response.failures.sorted { ($0.node, $0.error) < ($1.node, $1.error) }.map { failure in
            item(style.failedMark, "\(failure.node): \(failure.error)", style, tint: .failed, indent: 0)
        }
        let text =
            silent > 0
            ? "\(humanCount(silent)) of \(counted(response.hostsAsked, "host")) did not answer."
            : "\(counted(response.failures.count, "host")) failed."
        return lines.joined() + advice(text, next: "weft peers", style)
    }

    private var silent: Int { max(0, response.hostsAsked - response.hostsAnswered) }
}

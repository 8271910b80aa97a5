/// Why weftd could not start or go on: what failed, with its values, and what to do.
package enum DaemonError: Error, Sendable, Equatable, CustomStringConvertible {
    case configurationUnreadable(path: String, reason: String)
    case configurationInvalid(path: String, diagnostics: [String])
    case listener(address: String, reason: String)
    case apiSocket(path: String, reason: String)
    case nodeName(String)

    package var description: String {
        switch self {
        case .configurationUnreadable(let path, let reason):
            "cannot read \(path): \(reason); check that the file exists and that user weft may read it"
        case .configurationInvalid(let path, let diagnostics):
            "\(path) is not valid:\n" + diagnostics.map { "  \($0)" }.joined(separator: "\n")
        case .listener(let address, let reason):
            "cannot listen on \(address): \(reason); is another weftd running? See: ss -ltnp"
        case .apiSocket(let path, let reason):
            "cannot make the API socket \(path): \(reason); is the directory there and writable for user weft?"
        case .nodeName(let text):
            "this host is called \"\(text)\", which cannot be a name in the mesh; set name in [node] of "
                + "/etc/weft/weft.toml to 1 to 63 letters, digits and hyphens"
        }
    }
}

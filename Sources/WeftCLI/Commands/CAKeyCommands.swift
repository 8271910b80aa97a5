internal import ArgumentParser
internal import WeftAPI

/// `weft ca export`
struct ExportCACommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print key and certificate of the authority as PEM, to keep them elsewhere.",
        discussion: "To a file that only root can read: (umask 077; sudo weft ca export > ca.pem)"
    )

    private static let warning =
        "Whoever has this key is the authority of the mesh, and can be every host and service of it. Keep it offline."

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask(CAKeyText.self, .exportCA)
        // As it came, for the programs that read PEM.
        var result = options.result(answer) { $0.pem.hasSuffix("\n") ? $0.pem : $0.pem + "\n" }
        result.note = wrapped(Self.warning, columns: session.style.columns).joined(separator: "\n") + "\n"
        return result
    }
}

/// `weft ca import FILE|-`
struct ImportCACommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in an authority: the mesh's own, or another to become its root.",
        discussion: """
            The key of the present root, as weft ca export printed it, makes this host a holder. Any other key with its \
            certificate, such as a company's, becomes the next root by a rotation, on a host that holds the authority.
            """
    )

    @Argument(
        help: "A file with key and certificates as PEM, or - for standard input.",
        completion: .file()
    )
    var file: String

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(
            CAKeyText(pem: try pem(session)),
            .importCA,
            answer: CAStatus.self
        )
        return options.result(answer) { status in
            let report = AuthorityReport(status)
            guard status.rotation == nil else { return report.rotation(session.style) }
            return advice("This host holds the authority of \(status.mesh).", next: "weft ca", session.style)
        }
    }

    private func pem(_ session: Session) throws(DaemonError) -> String {
        let isStandardInput = file == "-"
        let name = isStandardInput ? "Standard input" : file
        switch session.readText(isStandardInput ? nil : file) {
        // Said without it: it may be a key.
        case .success(let text) where !text.contains("-----BEGIN "):
            throw .badFile(name, reason: "there is no PEM in it")
        case .success(let text): return text
        case .failure(let fault): throw .badFile(name, reason: fault.reason)
        }
    }
}

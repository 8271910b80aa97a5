internal import ArgumentParser
internal import WeftAPI

/// `weft cert [--mesh]`
struct CertCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert",
        abstract: "List the certificates of this host: what is left of each, and when it is renewed.",
        discussion: """
            The root is the mesh's, the intermediate is this host's, and with it the host makes a leaf for each of its \
            services. All but the root are renewed by themselves, at half their life.

            Exit status 1 when one has ended, or renewing one fails.
            """
    )

    @Flag(help: "The intermediate of each host of the mesh, as far as it is alive.")
    var mesh = false

    @OptionGroup var options: CommonOptions

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).ask(
            [CertificateRow].self,
            .certificates,
            query: mesh ? "mesh=1" : nil
        )
        let report = CertificateReport(answer.value, isOfMesh: mesh)
        return options.result(answer, report.exitStatus) { _ in report.rendered(session.style) }
    }
}

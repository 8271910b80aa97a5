internal import ArgumentParser
internal import WeftAPI
internal import WeftCore

/// `weft up [--name NAME]`
struct UpCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Name the mesh of this host, or found one, while no other host is in it. Root only.",
        discussion: "weftd founds a mesh of one at its first start, so this is needed only to choose its name."
    )

    @Option(
        help: ArgumentHelp(
            "The name of the mesh; kept unless given, or made up where there is none.",
            valueName: "name"
        )
    )
    var name: String?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard let name, MeshName(name) == nil else { return }
        throw ValidationError(
            "\"\(printable(name))\" cannot be the name of a mesh: 1 to 63 of a-z, 0-9, - _ and ., a letter or digit first."
        )
    }

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let answer = try await session.client(options).tell(UpRequest(name: name), .up, answer: UpResponse.self)
        return options.result(answer) { response in
            let text =
                response.isNew
                ? "\(response.node) is the first host of the new mesh \(response.mesh)."
                : "\(response.node) is a host of the mesh \(response.mesh), as before."
            return advice(text, next: response.isNew ? "sudo weft token" : "weft peers", session.style)
        }
    }
}

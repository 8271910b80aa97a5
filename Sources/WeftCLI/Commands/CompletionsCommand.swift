internal import ArgumentParser

/// `weft completions bash|zsh|fish`
struct CompletionsCommand: SessionCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the script that completes weft's commands in a shell.",
        discussion: """
            bash: weft completions bash | sudo tee /usr/share/bash-completion/completions/weft
            zsh:  weft completions zsh | sudo tee /usr/share/zsh/vendor-completions/_weft
            fish: weft completions fish > ~/.config/fish/completions/weft.fish
            """
    )

    @Argument(help: "The shell that the script is for.")
    var shell: Shell

    func run(in session: Session) async throws(DaemonError) -> CommandResult {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        return CommandResult(WeftCommand.completionScript(for: shell) + "\n")
    }
}

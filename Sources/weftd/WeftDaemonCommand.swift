internal import ArgumentParser
internal import Glibc
internal import WeftDaemon

/// The command line of weftd. systemd starts it without arguments.
@main
struct WeftDaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weftd",
        abstract: "The weft daemon: carries this host's TCP traffic.",
        discussion: "Started by systemd (weftd.service). Ask it questions with `weft`."
    )

    @Option(help: "The host configuration; need not exist. Default: /etc/weft/weft.toml.")
    var config: String?

    @Option(help: "The API's Unix socket. Default: /run/weft/weft.sock.")
    var socket: String?

    @Option(help: "Where state survives reboots. Default: $STATE_DIRECTORY, else /var/lib/weft.")
    var state: String?

    @Option(help: ArgumentHelp("Check a configuration file and exit.", valueName: "file"))
    var check: String?

    @Flag(help: "Remove what a weftd that is gone for good left in the kernel, and exit.")
    var cleanup = false

    @Flag(help: "With --cleanup: also the table that refuses users' traffic while weft is away.")
    var everything = false

    func run() async throws {
        if let check {
            let mistakes = Daemon.mistakes(in: check)
            guard mistakes.isEmpty else { fail("\(check) is not valid:\n  " + mistakes.joined(separator: "\n  ")) }
            print("\(check) is valid.")
            return
        }
        do {
            if cleanup {
                print(try Daemon.cleanUp(includingClosed: everything))
                return
            }
            let state = state ?? getenv("STATE_DIRECTORY").map { String(cString: $0) }
            let options = Daemon.Options(configurationPath: config, socketPath: socket, stateDirectory: state)
            try await Daemon(options).run()
        } catch {
            fail("\(error)")
        }
    }

    private func fail(_ text: String) -> Never {
        let line = Array("weftd: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        Glibc.exit(1)
    }
}

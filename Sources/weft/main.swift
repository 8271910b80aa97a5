internal import Glibc
internal import WeftCLI

let run = await CommandLineRun.run(Array(CommandLine.arguments.dropFirst()), in: StandardStreams.session())
exit(StandardStreams.finish(run))

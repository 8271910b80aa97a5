/// What the shell learns from a command: the numbers that every `weft` command ends with.
package enum ExitStatus: Int32, Sendable {
    /// Done, and nothing is wrong.
    case good = 0
    /// Done, and something is wrong: a failed check, a problem in the status, a request that weftd refused.
    case problem = 1
    /// The command line is wrong; nothing was asked of weftd.
    case usage = 2
    /// No answer from weftd.
    case unreachable = 3
}

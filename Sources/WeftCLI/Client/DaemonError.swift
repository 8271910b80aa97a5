internal import Glibc
internal import WeftAPI
internal import WeftCore

/// Why weftd was not asked, or gave no usable answer. Each has a sentence, the next command to type and an exit status.
package enum DaemonError: Error, Sendable, Equatable {
    case badSocketPath(String, reason: String)
    /// Standard input, which was to hold a key, does not; the reason says what it holds, and not the key.
    case badKeyInput(reason: String)
    /// The same of a token.
    case badTokenInput(reason: String)
    /// A file that was to hold something, or standard input, does not; the reason does not repeat what it holds.
    case badFile(String, reason: String)
    /// ENOENT.
    case noSocket(SocketPath)
    /// ECONNREFUSED: a socket that nobody listens on, or a file that is no socket.
    case notListening(SocketPath)
    /// EACCES or EPERM, for this user id.
    case notPermitted(SocketPath, uid: UInt32)
    /// EAGAIN: the queue of callers that weftd has not accepted yet is full (connect(2), Unix sockets).
    case busy(SocketPath)
    /// Any other error number of connect(2), with its name.
    case cannotConnect(SocketPath, reason: String)
    case timedOut(SocketPath, target: String, after: Duration)
    /// The connection ended before an answer began.
    case closedUnanswered(SocketPath)
    /// The connection ended in the middle of an answer.
    case truncated(SocketPath)
    case tooLarge(target: String, limit: Int)
    case notHTTP(SocketPath, reason: String)
    case notJSON(SocketPath, beginning: String)
    /// JSON, but not what this version of weft expects there.
    case unknownForm(target: String, detail: String)
    /// A status that means failure, without an `ErrorResponse`.
    case failedStatus(Int, target: String)
    /// In the middle of following events, another weftd answered than before.
    case restarted(SocketPath)
    /// weftd said why not.
    case refused(code: String, text: String, next: String)
}

extension DaemonError {
    /// What an error number of connect(2), or of the first read and write after it, means here.
    init(connectErrno number: CInt, at socket: SocketPath) {
        switch number {
        case ENOENT: self = .noSocket(socket)
        case ECONNREFUSED: self = .notListening(socket)
        case EACCES, EPERM: self = .notPermitted(socket, uid: geteuid())
        case EAGAIN: self = .busy(socket)
        case ECONNRESET, EPIPE: self = .closedUnanswered(socket)
        default: self = .cannotConnect(socket, reason: String(cString: strerror(number)))
        }
    }

    /// What was wrong, with its values: one sentence or two.
    package var text: String {
        switch self {
        case .badSocketPath(let path, let reason): "\"\(printable(path))\" cannot be the path of a socket: \(reason)."
        case .badKeyInput(let reason): "Standard input does not begin with a line that is a key: \(reason)."
        case .badTokenInput(let reason): "Standard input does not begin with a line that is a token: \(reason)."
        case .badFile(let name, let reason): "\(printable(name)) cannot be used: \(reason)."
        case .noSocket(let socket): "weftd is not running: there is no socket at \(socket)."
        case .notListening(let socket):
            "Nothing listens on \(socket): weftd has stopped, or this is not its socket."
        case .notPermitted(let socket, let uid):
            "User id \(uid) may not open \(socket). weftd lets every user connect, so somebody has changed the mode of the "
                + "socket or of a directory above it."
        case .busy(let socket): "weftd takes no more callers at \(socket): too many are waiting, or it hangs."
        case .cannotConnect(let socket, let reason): "Connecting to \(socket) failed: \(reason)."
        case .timedOut(let socket, let target, let time):
            "weftd did not answer \(target) at \(socket) within \(humanDuration(seconds: time.inSeconds))."
        case .closedUnanswered(let socket): "weftd closed the connection at \(socket) without an answer."
        case .truncated(let socket): "The answer from \(socket) broke off: weftd stopped while it was sending."
        case .tooLarge(let target, let limit):
            "The answer to \(target) is larger than \(humanBytes(UInt64(limit))), the most that weft reads."
        case .notHTTP(let socket, let reason):
            "What answers at \(socket) does not speak HTTP (\(reason)): it is not weftd."
        case .notJSON(let socket, let beginning):
            "The answer from \(socket) is not JSON, it begins with \"\(beginning)\": it is not from weftd."
        case .unknownForm(let target, let detail):
            "The answer to \(target) has a form that this weft does not know (\(detail)): "
                + "weft and weftd are of different versions."
        case .failedStatus(404, let target): "weftd does not know \(target): weft and weftd are of different versions."
        case .failedStatus(let status, let target): "weftd answered \(target) with HTTP status \(status) and no reason."
        case .restarted(let socket): "weftd at \(socket) was restarted: it counts its events from 1 again."
        case .refused(_, let text, _): text
        }
    }

    /// The next command to type.
    package var next: String {
        switch self {
        case .badSocketPath: "weft status --socket \(APIRoute.defaultSocketPath)"
        case .badKeyInput: "weft gossip keygen"
        case .badFile: "weft ca import --help"
        case .badTokenInput: "sudo weft token, on a host of the mesh"
        case .noSocket: "sudo systemctl start weftd"
        case .notListening: "sudo systemctl restart weftd"
        case .notPermitted(let socket, _): "namei -l \(socket)"
        case .cannotConnect, .closedUnanswered: "systemctl status weftd"
        case .unknownForm, .failedStatus(404, _): "weft version"
        case .restarted: "weft events --since-start"
        case .busy, .timedOut, .truncated, .tooLarge, .failedStatus: "journalctl -u weftd -n 50"
        case .notHTTP, .notJSON: "sudo ss -xlp"
        case .refused(_, _, let next): next
        }
    }

    package var exitStatus: ExitStatus {
        switch self {
        case .badSocketPath, .badKeyInput, .badTokenInput, .badFile: .usage
        case .noSocket, .notListening, .notPermitted, .busy, .cannotConnect, .timedOut, .closedUnanswered, .truncated,
            .restarted:
            .unreachable
        case .tooLarge, .notHTTP, .notJSON, .unknownForm, .failedStatus, .refused: .problem
        }
    }
}

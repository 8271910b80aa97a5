internal import Glibc
internal import NIOCore
internal import WeftCore

extension Outcome {
    /// What a failed dial means to the client.
    init(dialError error: any Error) {
        switch error {
        case let error as IOError: self.init(errno: error.errnoCode)
        case let error as SocketError: self.init(errno: error.code)
        case ChannelError.connectTimeout: self.init(.connectTimeout, side: .destination)
        default: self.init(.internalError, side: .weft)
        }
    }

    private init(errno code: CInt) {
        switch code {
        case ECONNREFUSED, ECONNRESET: self.init(.refused, side: .destination)
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EACCES, EADDRNOTAVAIL, EINVAL:
            self.init(.unreachable, side: .destination)
        case ETIMEDOUT: self.init(.connectTimeout, side: .destination)
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: self.init(.overLimit, side: .weft)
        default: self.init(.internalError, side: .weft)
        }
    }
}

extension SocketError {
    /// The peer has gone between accept() and the call.
    var isDisconnect: Bool { code == ENOTCONN || code == EINVAL || code == ECONNRESET }

    /// The address is not this host's any more.
    var isAddressGone: Bool { code == EADDRNOTAVAIL }
}

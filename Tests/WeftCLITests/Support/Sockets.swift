import FoundationEssentials
import Glibc
import Testing
import WeftCLI

/// Where weftd listens on a host; canned transports never open it.
let socket = knownSocket()

private func knownSocket() -> SocketPath {
    do {
        return try SocketPath("/run/weft/weft.sock")
    } catch {
        preconditionFailure("the default path is refused: \(error)")
    }
}

/// A socket that has the path and does not listen.
func boundSocket(_ path: SocketPath) throws -> CInt {
    let descriptor = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.path.utf8) }
    let result = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    try #require(descriptor >= 0 && result == 0, "bind failed with error number \(errno)")
    return descriptor
}

/// How many descriptors of this process are sockets, event queues or timers.
func openSockets() throws -> Int {
    let folder = "/proc/self/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
        // A descriptor may be closed between the listing and this.
        let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")) ?? ""
        return target.hasPrefix("socket:") || target.hasPrefix("anon_inode:")
    }
}

internal import Glibc

/// Reading whole files that have a known largest size.
package enum BoundedFile {
    /// The file's bytes; nil when there is no such file. A file of more than `limit` bytes is an error, as is one that
    /// grows past it while it is read. Follows symbolic links; blocks for as long as the file system does.
    package static func read(_ path: String, limit: Int) throws(HostError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw HostError.errno("open \(path)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        // Files of /proc have no size of their own, so that the end is only known by reading.
        var chunk = [UInt8](repeating: 0, count: min(limit, 65_535) + 1)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw HostError.errno("read \(path)")
            }
            guard bytes.count + count <= limit else { throw HostError("read \(path)", .overLimit(limit)) }
            bytes += chunk[..<count]
        }
    }
}

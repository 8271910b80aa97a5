import Glibc

/// The journal's end of its datagram socket, and a reader of its native protocol
/// (systemd.io/JOURNAL_NATIVE_PROTOCOL).
final class JournalReader {
    struct Field: Equatable {
        let name: String
        let value: [UInt8]

        var text: String { String(decoding: value, as: UTF8.self) }
    }

    private let descriptor: CInt
    private let path: String

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withSocketAddress(path) { bind(descriptor, $0, $1) }
        guard result == 0 else { throw TestFailure("bind \(path): errno \(errno)") }
    }

    /// Closing leaves the socket's name, as a killed journal does.
    deinit { close(descriptor) }

    func datagram() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw TestFailure("nothing came: errno \(errno)") }
        return Array(buffer[..<count])
    }

    var hasDatagram: Bool {
        recv(descriptor, nil, 0, CInt(MSG_DONTWAIT) | CInt(MSG_PEEK)) >= 0
    }

    /// The fields of the next record, in their order. Throws on anything that the journal would not take.
    func fields() throws -> [Field] { try Self.fields(of: datagram()) }

    static func fields(of datagram: [UInt8]) throws -> [Field] {
        var rest = datagram[...]
        var fields: [Field] = []
        while !rest.isEmpty {
            guard let end = rest.firstIndex(where: { $0 == 0x0a || $0 == UInt8(ascii: "=") }) else {
                throw TestFailure("no value after \(String(decoding: rest, as: UTF8.self))")
            }
            let name = String(decoding: rest[..<end], as: UTF8.self)
            guard name.wholeMatch(of: /[A-Z][A-Z0-9_]{0,63}/) != nil else { throw TestFailure("bad name \(name)") }
            let isBinary = rest[end] == 0x0a
            rest = rest[(end + 1)...]
            let length: Int
            if isBinary {
                guard rest.count >= 8 else { throw TestFailure("\(name): no length") }
                length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(8)
            } else {
                length = rest.prefix { $0 != 0x0a }.count
            }
            guard rest.count > length, rest[rest.startIndex + length] == 0x0a else {
                throw TestFailure("\(name): \(length) bytes do not end in a newline")
            }
            fields.append(Field(name: name, value: Array(rest.prefix(length))))
            rest = rest.dropFirst(length + 1)
        }
        return fields
    }
}

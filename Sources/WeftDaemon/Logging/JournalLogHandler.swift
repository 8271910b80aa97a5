internal import Glibc
internal import Logging

/// Sends log records to systemd's journal with their metadata as fields (systemd.journal-fields(7), native protocol), so
/// that `journalctl -u weftd WEFT_SOURCE=web.service` works. Without a journal, lines go to standard error.
struct JournalLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    private let label: String
    private let journal: Journal?

    /// `journal` is shared by all handlers; nil writes to standard error.
    init(label: String, level: Logger.Level, journal: Journal?) {
        self.label = label
        self.logLevel = level
        self.journal = journal
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = self.metadata
        fields.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error"] = "\(error)" }
        let sorted = fields.map { (name: $0.key, value: "\($0.value)") }.sorted { $0.name < $1.name }
        let text =
            sorted.isEmpty
            ? "\(event.message)" : "\(event.message): " + sorted.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        guard let journal, journal.send(priority: event.level.syslogPriority, message: text, fields: sorted) else {
            writeToStandardError("<\(event.level.syslogPriority)>\(label): \(text)\n")
            return
        }
    }

    private func writeToStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}

/// The journal's datagram socket. Sending never waits: a journal that does not keep up loses records, not weftd its time.
final class Journal: Sendable {
    static let socketPath = "/run/systemd/journal/socket"
    /// A datagram that is much larger would need a memory file to be sent; log records are cut instead.
    private static let messageBytesMax = 64 * 1024
    /// What the names of the last, empty fields of a cut record may add.
    private static let overhangBytesMax = 192

    private let descriptor: CInt
    private let address: sockaddr_un

    /// Nil when there is no journal at the path.
    init?(path: String = socketPath) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            guard path.utf8.count < bytes.count else { return false }
            bytes.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { return nil }
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        // Connecting tells whether somebody reads there. The connection is dissolved again: it would end with the journal
        // that it was made to, and a journal that is restarted listens at the same path.
        var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        let connected = withGenericAddress(address) { connect(descriptor, $0, $1) }
        guard connected == 0, connect(descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size)) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.address = address
    }

    deinit { close(descriptor) }

    /// False when there is no journal any more. A journal that does not keep up is one: the record is lost, as writing it
    /// elsewhere would mean to wait for the same journal.
    func send(priority: Int, message: String, fields: [(name: String, value: String)]) -> Bool {
        var bytes: [UInt8] = []
        append("PRIORITY", "\(priority)", to: &bytes)
        append("SYSLOG_IDENTIFIER", "weftd", to: &bytes)
        append("MESSAGE", message, to: &bytes)
        for field in fields { append("WEFT_" + Self.fieldName(field.name), field.value, to: &bytes) }
        let sent = bytes.withUnsafeBytes { record in
            withGenericAddress(address) {
                sendto(descriptor, record.baseAddress, record.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL), $0, $1)
            }
        }
        return sent == bytes.count || errno == EAGAIN
    }

    /// `NAME=VALUE`, or the binary form (NAME, newline, little-endian length, value) for values with newlines. A value
    /// that does not fit is cut between characters; a field whose name does not fit is left out.
    private func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        guard bytes.count + name.utf8.count <= Self.messageBytesMax + Self.overhangBytesMax - 16 else { return }
        let room = max(0, Self.messageBytesMax - bytes.count)
        var end = value.utf8.index(value.startIndex, offsetBy: room, limitedBy: value.endIndex) ?? value.endIndex
        while end != value.endIndex, value.utf8[end] & 0xc0 == 0x80 { end = value.utf8.index(before: end) }
        let value = value.utf8[..<end]
        bytes += name.utf8
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Upper-case letters, digits and underscores; anything else becomes an underscore.
    private static func fieldName(_ name: String) -> String {
        String(
            decoding: name.uppercased().utf8.prefix(59).map { byte in
                (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) ? byte : 0x5f
            },
            as: UTF8.self
        )
    }
}

/// Calls `body` with the address in the form that system calls take.
private func withGenericAddress<Result>(
    _ address: sockaddr_un,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

extension Logger.Level {
    /// syslog(3)
    fileprivate var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

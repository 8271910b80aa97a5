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
    /// A datagram larger than this would need a memory file to be sent; log records are cut instead.
    private static let messageBytesMax = 64 * 1024

    private let descriptor: CInt

    /// Nil when there is no journal to connect to.
    init?(path: String = socketPath) {
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// False when the journal did not take it.
    func send(priority: Int, message: String, fields: [(name: String, value: String)]) -> Bool {
        var bytes: [UInt8] = []
        append("PRIORITY", "\(priority)", to: &bytes)
        append("SYSLOG_IDENTIFIER", "weftd", to: &bytes)
        append("MESSAGE", message, to: &bytes)
        for field in fields { append("WEFT_" + Self.fieldName(field.name), field.value, to: &bytes) }
        let sent = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
        }
        return sent == bytes.count
    }

    /// `NAME=VALUE`, or the binary form (NAME, newline, little-endian length, value) for values with newlines.
    private func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        let value = value.utf8.prefix(max(0, Self.messageBytesMax - bytes.count))
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

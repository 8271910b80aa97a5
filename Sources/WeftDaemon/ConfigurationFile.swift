internal import WeftConfig
internal import WeftHost

/// The host configuration on disk.
enum ConfigurationFile {
    static let defaultPath = "/etc/weft/weft.toml"

    /// Reads and validates; a file that does not exist is the default configuration.
    static func load(_ path: String) throws(DaemonError) -> Configuration {
        let bytes: [UInt8]?
        do {
            bytes = try BoundedFile.read(path, limit: ConfigurationLoader.bytesMax)
        } catch {
            throw .configurationUnreadable(path: path, reason: "\(error)")
        }
        guard let bytes else { return Configuration() }
        do {
            return try ConfigurationLoader.load(bytes: bytes)
        } catch {
            throw .configurationInvalid(path: path, diagnostics: error.diagnostics.map(\.description))
        }
    }
}

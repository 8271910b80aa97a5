/// The step from the bytes of a file to text.
enum ConfigurationText {
    /// Throws the line and the value of the first byte that is not UTF-8.
    static func decode(_ bytes: [UInt8]) throws(ConfigurationError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var line = 1
        var offset = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            if scalar == "\n" { line += 1 }
            offset += UTF8.width(scalar)
        }
        let byte =
            offset < bytes.count ? "the byte 0x\(String(bytes[offset], radix: 16)) at offset \(offset)" : "the end"
        throw ConfigurationError([
            Diagnostic(line: line, key: "", reason: "\(byte) is not UTF-8", remedy: "save the file as UTF-8")
        ])
    }
}

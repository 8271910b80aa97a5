/// A compressed message: `09 | msgpack {Algo, Buf}` (specification 5.1).
struct Compression: WireStructure {
    private enum Field: String, WireField {
        case algorithm = "Algo"
        case buffer = "Buf"
    }

    /// 0 is LZW, and the only one.
    var algorithm: UInt8
    var buffer: ArraySlice<UInt8>

    init(from reader: inout MessagePackReader) throws(DecodeError) {
        (algorithm, buffer) = (0, [])
        try reader.readStructure(Field.self) { field, reader throws(DecodeError) in
            switch field {
            case .algorithm: algorithm = try reader.readUInt8()
            case .buffer: buffer = try reader.readBytes(atMost: WireLimits.streamCompressedSize) ?? []
            }
        }
    }

    func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(2)
        writer.writeKey(Field.algorithm)
        writer.write(UInt64(algorithm))
        writer.writeKey(Field.buffer)
        writer.write(buffer)
    }

    /// Compresses a complete message.
    static func wrap(_ bytes: [UInt8]) -> [UInt8] {
        let compressed = LZWEncoder.compress(bytes)
        return Compression(algorithm: 0, buffer: compressed[...]).encoded(type: MemberlistType.compress.rawValue)
    }

    /// The message inside what follows the type byte, at most `limit` bytes of it and at least one.
    static func unwrap(_ body: ArraySlice<UInt8>, atMost limit: Int) throws(WireError) -> [UInt8] {
        let compression: Compression
        do throws(DecodeError) {
            compression = try Compression(decoding: body)
        } catch {
            throw WireError(error, type: MemberlistType.compress.rawValue)
        }
        guard compression.algorithm == 0 else { throw .compressionAlgorithm }
        let plain = try LZWDecoder.decompress(compression.buffer, atMost: limit)
        guard !plain.isEmpty else { throw .empty }
        return plain
    }

    private init(algorithm: UInt8, buffer: ArraySlice<UInt8>) { (self.algorithm, self.buffer) = (algorithm, buffer) }
}

/// Tags in a node's meta: `ff | msgpack map of strings`. Before Serf had tags the meta was the role alone.
extension Tags {
    private static let magic: UInt8 = 0xff
    private static let role = "role"

    /// Decodes a meta. Without the magic byte, the empty meta included, it is the old form: the value of `role`.
    package init(meta: [UInt8]) throws(DecodeError) {
        guard meta.first == Self.magic else {
            self.init([(Self.role, String(decoding: meta, as: UTF8.self))])
            return
        }
        var reader = MessagePackReader(meta.dropFirst())
        try self.init(from: &reader)
    }

    /// The meta of these tags. It may be longer than `WireLimits.metaSize`: whoever sets tags checks that.
    package var meta: [UInt8] {
        var writer = MessagePackWriter(prefix: Self.magic)
        write(to: &writer)
        return writer.bytes
    }

    /// Reads the map alone.
    init(from reader: inout MessagePackReader) throws(DecodeError) {
        self.init()
        for _ in 0..<(try reader.readMapHeader(atMost: WireLimits.tags)) {
            let name = try reader.readText(atMost: WireLimits.datagramSize)
            self[name] = try reader.readText(atMost: WireLimits.datagramSize)
        }
    }

    func write(to writer: inout MessagePackWriter) {
        writer.writeMapHeader(count)
        for tag in sorted {
            writer.write(tag.name)
            writer.write(tag.value)
        }
    }
}

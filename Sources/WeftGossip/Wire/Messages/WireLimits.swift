/// Bounds on what a peer can make us hold or do. Each is checked before memory is taken for it.
package enum WireLimits {
    /// The largest datagram read, in bytes: what UDP can carry.
    package static let datagramSize = 65_536
    /// The longest name of a member, in bytes. New Serf agents can be told to accept 128.
    package static let nameLength = 255
    /// The longest node meta (encoded tags), in bytes: memberlist's MetaMaxSize.
    package static let metaSize = 512
    /// The longest label, in bytes: its length is one byte on the wire.
    package static let labelLength = 255
    /// The most parts of a compound that weft sends: older agents multiply the count in 8 bits.
    package static let compoundParts = 127
    /// The most messages taken from one datagram, over all nested compounds: 64 KiB of empty parts are 21,845.
    package static let messagesPerDatagram = 1_024
    /// How deep compounds and compressions may be nested. Stock senders nest two.
    package static let wrapperDepth = 8
    /// How deep arrays and maps may be nested in skipped values. The deepest known message has 4 levels.
    package static let messagePackDepth = 32
    /// The largest decompressed datagram, in bytes. Senders compress at most a datagram's worth; room for a bad
    /// estimate.
    package static let datagramDecompressedSize = 262_144
    /// The most bytes that all compressed parts of one datagram may become together, so that many small bombs in one
    /// compound cost no more than one.
    package static let datagramDecompressedTotal = 1_048_576
    /// The largest encrypted frame on a stream, in bytes after the 5-byte header: memberlist's maxPushStateBytes.
    package static let encryptedFrameSize = 20 * 1_048_576
    /// The largest compressed message on a stream, in bytes of its compressed form.
    package static let streamCompressedSize = 20 * 1_048_576
    /// The largest decompressed stream message, in bytes.
    package static let streamDecompressedSize = 40 * 1_048_576
    /// The most bytes taken from one stream, whatever they are: a little more than the largest plain message.
    package static let streamSize = 48 * 1_048_576
    /// The most node records of one push/pull. The frame limit is reached at about 109,000 of real size.
    package static let pushPullNodes = 262_144
    /// The largest user state of one push/pull, in bytes.
    package static let userStateSize = 20 * 1_048_576
    /// The largest user message on a stream, in bytes: weft's own records travel so. Stock allows 20 MiB.
    package static let streamUserMessageSize = 20 * 1_048_576
    /// The longest header, node record or small message on a plain stream, in bytes, before it must be complete.
    package static let streamObjectSize = 65_536
    /// The longest error text kept, in bytes.
    package static let errorTextLength = 1_024
    /// The most slots of the event ring in a push/pull. Stock agents send 512.
    package static let eventSlots = 8_192
    /// The most user events of a push/pull in all slots together.
    package static let events = 65_536
    /// The most filters of one query; queries are at most 1024 bytes.
    package static let queryFilters = 256
    /// The most node names in one filter.
    package static let filterNodes = 4_096
    /// The most keys in one key response; one of 16 bytes takes 25.
    package static let responseKeys = 4_096
    /// The most tags; the meta limit allows 170 of the shortest.
    package static let tags = 256
    /// The most dimensions of a network coordinate.
    package static let coordinateDimensions = 64
}

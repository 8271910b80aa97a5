/// What one host has put on the network.
package struct Traffic: Sendable, Equatable {
    package private(set) var datagrams = 0
    /// Payload of datagrams.
    package private(set) var datagramBytes = 0
    /// Messages on streams.
    package private(set) var streamMessages = 0
    /// Payload of streams.
    package private(set) var streamBytes = 0
    /// Everything, with headers.
    package private(set) var wireBytes = 0

    package init() {}

    /// IPv4 and UDP.
    private static let datagramHeader = 28
    /// IPv4 and TCP with timestamps.
    private static let segmentHeader = 52
    private static let segmentPayload = 1448
    /// The sender's share of opening and closing a connection: SYN or SYN-ACK, ACK, FIN, ACK.
    private static let connectionSegments = 4

    mutating func addDatagram(_ byteCount: Int) {
        datagrams += 1
        datagramBytes += byteCount
        wireBytes += byteCount + Self.datagramHeader
    }

    /// One message on a stream. Acknowledgements of it, one for two segments, are put on the sender's bill: over a pool
    /// it comes to the same.
    mutating func addStreamMessage(_ byteCount: Int) {
        let segments = (byteCount + Self.segmentPayload - 1) / Self.segmentPayload
        streamMessages += 1
        streamBytes += byteCount
        wireBytes += byteCount + (segments + (segments + 1) / 2 + Self.connectionSegments) * Self.segmentHeader
    }

    package static func + (left: Traffic, right: Traffic) -> Traffic {
        var sum = left
        sum.datagrams += right.datagrams
        sum.datagramBytes += right.datagramBytes
        sum.streamMessages += right.streamMessages
        sum.streamBytes += right.streamBytes
        sum.wireBytes += right.wireBytes
        return sum
    }
}

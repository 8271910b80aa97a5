internal import NIOCore
internal import WeftCore

/// Ends a leg in order when nobody needs it any more: FIN, then what still comes is dropped until the other side ends too,
/// has been slow, or goes on and on. A plain close would be a reset.
final class LegCloser: LegOwner {
    private static let bytesMax = 64 * 1024
    private static let patience = TimeAmount.seconds(5)

    private let leg: any RelayLeg
    private var dropped = 0
    private var isOutputEnded = false
    private var deadline: Scheduled<Void>?

    private init(_ leg: any RelayLeg) { self.leg = leg }

    static func close(_ leg: any RelayLeg, on eventLoop: any EventLoop) {
        let closer = LegCloser(leg)
        leg.owner = closer
        closer.deadline = eventLoop.assumeIsolated().scheduleTask(in: patience) { closer.stop() }
        leg.endOutput()
        leg.read()
    }

    func received(_ bytes: ByteBuffer, from leg: any RelayLeg) {
        dropped += bytes.readableBytes
        if dropped > Self.bytesMax { stop() }
    }

    func readCompleted(from leg: any RelayLeg) { leg.read() }

    func becameWritable(_ leg: any RelayLeg) {}

    func inputEnded(_ leg: any RelayLeg) {
        leg.isInputEnded = true
        if isOutputEnded { stop() }
    }

    func outputEnded(_ leg: any RelayLeg) {
        isOutputEnded = true
        if leg.isInputEnded { stop() }
    }

    func failed(_ leg: any RelayLeg, _ ending: Ending) { stop() }

    private func stop() {
        deadline?.cancel()
        deadline = nil
        leg.close()
        leg.owner = nil
    }
}

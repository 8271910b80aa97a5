import WeftCore
import WeftProxy

/// Shows a client's first bytes to the detector, and checks what has to hold for all bytes. The tests and the fuzzer
/// (Tests/Fuzz) share it.
enum DetectionExercise {
    /// Traps when pieces lead to another result, or when a request is not known for one.
    static func firstBytes(_ input: [UInt8], pieces: ([UInt8]) -> [[UInt8]]) {
        // Beyond that, what is decided depends on how much is there at once, but for a hello.
        let bytes = input.first == 22 ? input : Array(input.prefix(ProtocolDetector.bytesMax))
        let whole = result([bytes], of: bytes)
        let split = result(pieces(bytes), of: bytes)
        precondition(whole == split, "\(whole) at once, \(split) in pieces")
        var scanner = RequestHeadScanner()
        guard let head = try? scanner.scan(bytes.span.bytes), head.methodName.count <= 32 else { return }
        // Methods that are not in capitals are nobody's.
        let method = bytes[head.methodName.range]
        guard let first = method.first, (0x41...0x5a).contains(first),
            !method.contains(where: { (0x61...0x7a).contains($0) })
        else { return }
        precondition(whole.found == .http1, "a request is \(whole.found)")
    }

    private static func result(_ pieces: [[UInt8]], of bytes: [UInt8]) -> Detection {
        let now = Instant(nanoseconds: 1)
        var (detector, seen) = (ProtocolDetector(start: now), [UInt8]())
        for piece in pieces {
            seen += piece
            guard let found = detector.clientReceived(seen.span.bytes, now: now) else { continue }
            precondition(detector.ended(bytes.span.bytes, now: now) == found, "a result did not stay")
            return found
        }
        return detector.ended(bytes.span.bytes, now: now)
    }
}

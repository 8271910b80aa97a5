internal import NIOCore
internal import NIOSSL
internal import WeftCore

/// The short name of what TLS says went wrong: `TLSV1_ALERT_UNKNOWN_CA` becomes `alert-unknown-ca`.
func tlsReason(_ error: any Error) -> String {
    switch error {
    case NIOSSLError.handshakeFailed(let error), NIOSSLError.shutdownFailed(let error): boringReason(error)
    case NIOSSLError.uncleanShutdown: "closed"
    case let error as BoringSSLError: boringReason(error)
    case is IOError: "closed"
    default: "failed"
    }
}

private func boringReason(_ error: BoringSSLError) -> String {
    guard case .sslError(let stack) = error, let first = stack.first else { return "closed" }
    if first == .eofDuringHandshake { return "closed" }
    // The library keeps its reasons in text: "Error: N error:HEX:SSL routines:OPENSSL_internal:REASON at FILE:LINE".
    let text = first.description
    let words = text.split(whereSeparator: { $0 == ":" || $0 == " " })
    guard let reason = words.first(where: isReason) else { return "failed" }
    var name = reason.lowercased().split(separator: "_").map(String.init)
    if let version = name.first, version.hasPrefix("tlsv1") || version.hasPrefix("sslv3") { name.removeFirst() }
    return name.joined(separator: "-")
}

private func isReason(_ word: Substring) -> Bool {
    word.contains("_")
        && word.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
}

package import WeftCore

/// What is known of a destination's protocol before anybody has spoken: then nobody waits to find it out.
package enum ProtocolKnowledge: Sendable, Hashable {
    case declared(DeclaredProtocol)
    /// First bytes that could have become HTTP never did here (`LearnedProtocols`).
    case learned
}

/// What the owner of a service says that it speaks, as far as it makes a difference.
package enum DeclaredProtocol: Sendable, Hashable {
    /// HTTP/1 or HTTP/2, which their first bytes tell apart. What is neither is refused as broken HTTP/1: rules about
    /// requests then hold for everything that comes.
    case http
    /// Carried as bytes; the name that a client asks for is still noted.
    case tls
    /// Carried as bytes, whatever they look like.
    case tcp

    /// By the word of `[service.NAME] protocol`; nil for one that this host does not know.
    package init?(hint: String) {
        switch hint {
        case "http", "http2", "grpc": self = .http
        case "tls": self = .tls
        case "tcp": self = .tcp
        default: return nil
        }
    }
}

/// Destinations at which waiting for bytes that tell has been in vain: their clients begin like HTTP, say too little, and
/// are something else. Touched on its loop only.
package struct LearnedProtocols: Sendable {
    /// Vain waits in a row that teach. One slow client of an HTTP service must not.
    package static let waitsMin = 3
    /// Destinations that are remembered; beyond, all are learned anew.
    package static let entriesMax = 1024

    private var waits: [NetworkAddress: Int] = [:]

    package init() {}

    /// Whether nobody should wait there any more.
    package func knows(_ destination: NetworkAddress) -> Bool { waits[destination, default: 0] >= Self.waitsMin }

    /// Takes a finished detection into account.
    package mutating func learn(_ detection: Detection, at destination: NetworkAddress) {
        switch detection.found {
        case .http1, .http2, .tls: waits[destination] = nil
        case .opaque:
            guard detection.reason == .time || detection.reason == .limit else { return }
            if waits[destination] == nil, waits.count >= Self.entriesMax { waits = [:] }
            waits[destination] = min(waits[destination, default: 0] + 1, Self.waitsMin)
        }
    }
}

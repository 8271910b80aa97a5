internal import WeftProxy

extension ResponseFlag {
    /// The nearest of Envoy's response flags (Envoy, "Access logging", `%RESPONSE_FLAGS%`).
    var envoyFlag: String {
        switch self {
        case .noEndpoint: "UH"
        case .connectFailed, .connectTimeout, .tunnelFailed: "UF"
        case .timeout, .tryTimeout: "UT"
        case .upstreamReset: "UC"
        case .upstreamProtocolError: "UPE"
        case .denied: "UAEX"
        case .rateLimited: "RL"
        case .overloaded: "OM"
        case .pendingOverflow, .pendingTimeout, .connectionLimit: "UO"
        case .clientProtocolError, .clientHeadTooLarge, .unsupported: "DPE"
        case .clientTimeout: "SI"
        case .clientGone: "DC"
        case .loop: "NR"
        case .draining, .internalError: "LR"
        }
    }
}

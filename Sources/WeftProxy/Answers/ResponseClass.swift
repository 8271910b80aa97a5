/// What kind of response a request got, as it is counted.
package enum ResponseClass: String, Hashable, Sendable, CaseIterable {
    /// None came.
    case none
    /// A final 1xx: 101, the beginning of an upgrade.
    case informational = "1xx"
    case success = "2xx"
    case redirection = "3xx"
    case clientError = "4xx"
    case serverError = "5xx"
    /// gRPC, status 0.
    case grpcOK = "grpc-ok"
    /// gRPC, a status that tells of the request or its caller.
    case grpcClientError = "grpc-client"
    /// gRPC, a status that tells of the server: 2 UNKNOWN, 4 DEADLINE_EXCEEDED, 12 UNIMPLEMENTED, 13 INTERNAL,
    /// 14 UNAVAILABLE, 15 DATA_LOSS. OpenTelemetry's conventions for servers draw the same line.
    case grpcServerError = "grpc-server"

    /// By HTTP status; `none` for what is no status.
    package init(status: UInt16) {
        self =
            switch status {
            case 100...199: .informational
            case 200...299: .success
            case 300...399: .redirection
            case 400...499: .clientError
            case 500...599: .serverError
            default: .none
            }
    }

    /// By the status of gRPC; a number that it does not have is the server's fault.
    package init(grpcStatus: UInt32) {
        self =
            switch grpcStatus {
            case 0: .grpcOK
            case 1, 3, 5...11, 16: .grpcClientError
            default: .grpcServerError
            }
    }

    /// What a class says of the service: only the server's errors, and silence, are failures.
    var isFailure: Bool { self == .none || self == .serverError || self == .grpcServerError }

    var index: Int {
        switch self {
        case .none: 0
        case .informational: 1
        case .success: 2
        case .redirection: 3
        case .clientError: 4
        case .serverError: 5
        case .grpcOK: 6
        case .grpcClientError: 7
        case .grpcServerError: 8
        }
    }

    static let indexCount = ResponseClass.allCases.count
}

import WeftCore
import WeftProxy

extension Instant {
    /// So long after the clock's start.
    static func at(_ time: Duration) -> Instant { Instant(nanoseconds: UInt64(time.wholeNanoseconds)) }
}

func name(_ text: String) -> ServiceName {
    guard let name = ServiceName(text) else { preconditionFailure("no service's name: \(text)") }
    return name
}

func tenant(_ text: String) -> TenantName {
    guard let name = TenantName(text) else { preconditionFailure("no tenant's name: \(text)") }
    return name
}

func identity(_ text: String) -> SpiffeID {
    guard let identity = SpiffeID("spiffe://m/ns/\(text)") else { preconditionFailure("no identity: \(text)") }
    return identity
}

func rate(_ count: Int, burst: Int? = nil) -> Rate {
    guard let rate = Rate(count, per: .seconds(1), burst: burst) else { preconditionFailure("no rate: \(count)") }
    return rate
}

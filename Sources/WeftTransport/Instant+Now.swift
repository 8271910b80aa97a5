internal import NIOCore
package import WeftCore

extension Instant {
    /// The monotonic clock of this host, which all event loops go by.
    package static func now() -> Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }
}

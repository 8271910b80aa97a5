internal import WeftCapture
internal import WeftConfig
internal import WeftTransport

extension DataPlaneSettings {
    /// What the configuration says, within what the process may have and what the kernel can do.
    init(_ configuration: Configuration, features: KernelFeatures) {
        let proxy = configuration.proxy
        self.init(
            connectTimeout: proxy.connectTimeout,
            halfCloseTimeout: proxy.halfCloseTimeout,
            keepaliveIdle: proxy.keepaliveIdle,
            userTimeout: proxy.userTimeout,
            preserveClientAddress: configuration.capture.preserveClientAddress && features.has(.routeChain)
                && features.has(.conntrack),
            dialMark: CaptureMark.own,
            transparentMark: CaptureMark.transparentSource,
            connectionsMax: min(proxy.connectionsMax, DescriptorBudget.ofThisProcess().connections),
            decisionsMax: proxy.decisionsMax
        )
    }
}

import Testing
import WeftCapture
import WeftConfig
import WeftCore
import WeftTransport

@testable import WeftDaemon

@Suite("Settings of the data plane")
struct DataPlaneSettingsTests {
    @Test("Every value of the configuration is passed on")
    func values() {
        var configuration = Configuration()
        configuration.proxy.connectTimeout = .seconds(1)
        configuration.proxy.halfCloseTimeout = .seconds(2)
        configuration.proxy.keepaliveIdle = .seconds(3)
        configuration.proxy.userTimeout = .seconds(4)
        configuration.proxy.connectionsMax = 5
        configuration.proxy.decisionsMax = 6
        let expected = DataPlaneSettings(
            connectTimeout: .seconds(1),
            halfCloseTimeout: .seconds(2),
            keepaliveIdle: .seconds(3),
            userTimeout: .seconds(4),
            preserveClientAddress: true,
            dialMark: CaptureMark.own,
            transparentMark: CaptureMark.transparentSource,
            connectionsMax: 5,
            decisionsMax: 6
        )
        #expect(DataPlaneSettings(configuration, features: .all) == expected)
    }

    @Test("No more connections than there are descriptors for")
    func descriptors() {
        var configuration = Configuration()
        configuration.proxy.connectionsMax = .max
        let settings = DataPlaneSettings(configuration, features: .all)
        #expect(settings.connectionsMax == DescriptorBudget.ofThisProcess().connections)
    }

    @Test(
        "The client's address is kept when it is wanted and the kernel can route the answers back",
        arguments: [
            (true, [], true), (false, [], false), (true, [.routeChain], false), (true, [.conntrack], false),
            (true, [.tproxy], true),
        ] as [(Bool, Set<KernelFeature>, Bool)]
    )
    func clientAddress(_ isWanted: Bool, _ missing: Set<KernelFeature>, _ isKept: Bool) {
        var configuration = Configuration()
        configuration.capture.preserveClientAddress = isWanted
        let features = KernelFeatures(Set(KernelFeature.allCases).subtracting(missing))
        #expect(DataPlaneSettings(configuration, features: features).preserveClientAddress == isKept)
    }

    @Test("Users are found by name, and one that does not exist is looked for again")
    func userNames() {
        let names = UserNames()
        #expect(names.id(of: "root") == .root)
        #expect(names.id(of: "root") == .root)
        #expect(names.id(of: "wefttest-nobody") == nil)
        #expect(names.id(of: "wefttest-nobody") == nil)
    }
}

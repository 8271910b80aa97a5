internal import Logging
internal import ServiceLifecycle
internal import WeftCore
internal import WeftHost
internal import WeftProxy
internal import WeftTransport

/// Sheds load while weftd is over what its control group may use (`MemoryMax=`, `CPUQuota=`). Without such a limit it
/// never does: how busy a host may be is the host's affair.
struct LoadWatchService: Service {
    private static let interval = Duration.seconds(1)

    let plane: DataPlane
    let mount: CgroupMount
    let logger: Logger

    func run() async throws {
        guard let own = try mount.own() else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown { await watch(own.path) }
    }

    private func watch(_ path: String) async {
        var governor = OverloadGovernor(limits: .init(CgroupLimits(of: path, in: mount)))
        var last = try? ProcessStatistics.current()
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            // They can change while weftd runs (`systemctl set-property`).
            governor.limits = .init(CgroupLimits(of: path, in: mount))
            guard let usage = try? ProcessStatistics.current() else { continue }
            let used = usage.cpuTime - (last?.cpuTime ?? usage.cpuTime)
            last = usage
            let sample = OverloadGovernor.Sample(
                memoryBytes: usage.residentBytes,
                cpuCores: used.inSeconds / Self.interval.inSeconds
            )
            if let pressure = governor.sampled(sample) { tell(pressure) }
        }
    }

    private func tell(_ pressure: Pressure) {
        plane.publish(pressure)
        switch pressure {
        case .none: logger.notice("no load is shed any more")
        case .shedding(let percent): logger.warning("shedding load", metadata: ["percent": "\(percent)"])
        }
    }
}

extension OverloadGovernor.Limits {
    fileprivate init(_ limits: CgroupLimits) {
        self.init(memoryBytes: limits.memoryBytes, cpuCores: limits.cpuCores)
    }
}

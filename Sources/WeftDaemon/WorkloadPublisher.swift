internal import Synchronization
internal import WeftCore
internal import WeftTransport

/// Passes the workload directory's tables on to the data plane, which starts after it.
final class WorkloadPublisher: Sendable {
    private let plane = Mutex<DataPlane?>(nil)

    /// Called on the directory's thread.
    func publish(_ workloads: [CgroupID: Workload]) {
        plane.withLock { $0 }?.publish(workloads: workloads)
    }

    /// `first` is the directory's table of the moment: what it published before now went nowhere.
    func connect(to plane: DataPlane, first: [CgroupID: Workload]) {
        self.plane.withLock { $0 = plane }
        plane.publish(workloads: first)
    }
}

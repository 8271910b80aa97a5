import Glibc
import Logging
import Testing
import WeftCatalog
import WeftCore
import WeftTestRig
import WeftTransport

@testable import WeftDaemon

@Suite("Passing workloads on", .timeLimit(.minutes(2)))
struct WorkloadPublisherTests {
    private static func unit(_ name: String) -> Workload {
        Workload(unit: name, slice: "system.slice", tenant: .system, cgroupPath: "/system.slice/\(name)")
    }

    private static let cgroup = FixedLookup.cgroup

    @Test("Tables from before the data plane go nowhere; its first one and all later ones arrive")
    func publishing() async throws {
        let publisher = WorkloadPublisher()
        publisher.publish([Self.cgroup: Self.unit("too-early.service")])
        try await withPlane { plane, entry in
            var units = [try await Self.unitOfNextConnection(plane, entry)]
            publisher.publish([Self.cgroup: Self.unit("still-too-early.service")])
            units.append(try await Self.unitOfNextConnection(plane, entry))
            publisher.connect(to: plane, first: [Self.cgroup: Self.unit("first.service")])
            units.append(try await Self.unitOfNextConnection(plane, entry))
            publisher.publish([Self.cgroup: Self.unit("second.service")])
            units.append(try await Self.unitOfNextConnection(plane, entry))
            publisher.publish([:])
            units.append(try await Self.unitOfNextConnection(plane, entry))
            #expect(units == [nil, nil, "first.service", "second.service", nil])
        }
    }

    /// Connects and waits for the decision, which is made as soon as the destination, a closed port, refuses.
    private static func unitOfNextConnection(_ plane: DataPlane, _ entry: NetworkAddress) async throws -> String? {
        let before = try await plane.decisions(last: 1).first?.id
        let socket = try LoopbackClient(entry)
        let decision = try await waitFor("a decision") {
            try await plane.decisions(last: 1).first { $0.id != before }
        }
        withExtendedLifetime(socket) {}
        return decision.source.workload?.unit
    }
}

/// Runs `body` with a data plane of one loop, whose every connection was dialled to a port where nobody listens by a
/// socket of `FixedLookup.cgroup`; no control group can be looked up.
func withPlane(_ body: (DataPlane, NetworkAddress) async throws -> Void) async throws {
    let listener = try CaptureListener(kind: .outbound, address: NetworkAddress(.loopbackV4, port: 0))
    let address = try RawSocket(listener.descriptor).localAddress()
    // A port that is taken and does not listen refuses, and stays so.
    let closed = try RawSocket.stream(.v4)
    defer { closed.close() }
    try closed.bind(to: NetworkAddress(.loopbackV4, port: 0))
    let destination = try closed.localAddress()
    let plane = try await DataPlane.start(
        loopCount: 1,
        listeners: [CaptureListener(kind: .outbound, address: address, adopting: listener.descriptor)],
        settings: DataPlaneSettings(
            connectTimeout: .seconds(5),
            halfCloseTimeout: .seconds(60),
            keepaliveIdle: .seconds(60),
            userTimeout: .seconds(60),
            preserveClientAddress: false,
            dialMark: nil,
            transparentMark: 0,
            connectionsMax: 100,
            decisionsMax: 100
        ),
        snapshot: MeshSnapshot(),
        makeLookup: { FixedLookup(destination) },
        resolveWorkload: { $1(nil) },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    do {
        try await plane.accept()
        try await body(plane, address)
    } catch {
        try await plane.stop()
        throw error
    }
    try await plane.stop()
}

/// Answers as the kernel would for connections that all dialled one destination, from one control group.
final class FixedLookup: SocketLookup {
    static let cgroup = CgroupID(42)

    private let destination: NetworkAddress

    init(_ destination: NetworkAddress) { self.destination = destination }

    func original(listener: NetworkAddress, peer: NetworkAddress) -> (ClientAddress, OriginalDestination)? {
        (ClientAddress(peer), OriginalDestination(destination))
    }

    func owner(client: ClientAddress, destination: OriginalDestination) -> SocketOwner? {
        SocketOwner(uid: UserID(1000), inode: 7, cgroup: Self.cgroup)
    }
}

/// A TCP connection to a loopback port, open as long as it lives.
private final class LoopbackClient {
    private let socket: RawSocket

    init(_ address: NetworkAddress) throws {
        socket = try RawSocket.stream(.v4)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 || errno == EINPROGRESS else { throw TestFailure("connect: errno \(errno)") }
    }

    deinit { socket.close() }
}

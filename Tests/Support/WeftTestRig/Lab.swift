import Glibc
import Synchronization

/// The ground that the hosts of one test stand on: a network namespace with a bridge, and the tools image unpacked in a
/// mount namespace. It ends with its process, and with it every device and mount in it.
final class Lab: Sendable {
    /// `weft-rig-PROCESS-COUNT`: what everything of this lab outside its namespaces is named after.
    let name: String
    let cgroupRoot: String
    let peerPrograms: String
    let kept: KeptProcess

    private static let count = Atomic(0)
    private static let namePrefix = "weft-rig-"

    private init(name: String, cgroupRoot: String, peerPrograms: String, kept: KeptProcess) {
        self.name = name
        self.cgroupRoot = cgroupRoot
        self.peerPrograms = peerPrograms
        self.kept = kept
    }

    static func start() async throws -> Lab {
        guard geteuid() == 0 else { throw RigFailure("test hosts need root: run Tests/run with sudo") }
        let cgroupRoot = try Machine.cgroup2MountPoint()
        sweep(cgroupRoot)
        let image = try await Machine.toolsImage()
        let kept = try KeptProcess([
            "unshare", "--net", "--mount", "--propagation", "private", "bash", "-c", HostScripts.lab, "lab", image,
        ])
        var printed = ""
        try await waitUntil("the lab is up", within: .seconds(30)) {
            printed += kept.printed()
            if kept.hasEnded { throw RigFailure("the lab did not start: \(printed)\(kept.printed())") }
            return printed.hasSuffix("ready\n")
        }
        let number = count.add(1, ordering: .relaxed).newValue
        return Lab(
            name: "\(namePrefix)\(getpid())-\(number)",
            cgroupRoot: cgroupRoot,
            peerPrograms: Machine.peerPrograms(beside: image),
            kept: kept
        )
    }

    func end() async throws {
        let namespace = Lab.networkNamespace(of: kept.identifier)
        try await kept.end()
        try await waitUntil("nothing of lab \(name) is left") { leftovers(in: namespace).isEmpty }
    }

    /// Cgroups of this lab, and processes that still live in its network.
    private func leftovers(in namespace: String?) -> [String] {
        let cgroups = Machine.names(in: cgroupRoot).filter { $0.hasPrefix("\(name)-") }
        let processes = Machine.names(in: "/proc").filter { entry in
            pid_t(entry).map { Lab.networkNamespace(of: $0) == namespace } == true && namespace != nil
        }
        return cgroups + processes
    }

    private static func networkNamespace(of process: pid_t) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/\(process)/ns/net", &buffer, buffer.count)
        return length > 0 ? String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// Removes what a run left whose keepers were killed too. Namespaces went with their processes; only cgroups stay.
    private static func sweep(_ cgroupRoot: String) {
        for entry in Machine.names(in: cgroupRoot) where entry.hasPrefix(namePrefix) {
            let owner = entry.dropFirst(namePrefix.count).prefix { $0.isNumber }
            guard let process = pid_t(owner), kill(process, 0) != 0, errno == ESRCH else { continue }
            removeCgroup("\(cgroupRoot)/\(entry)")
        }
    }

    private static func removeCgroup(_ path: String) {
        let descriptor = open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 {
            _ = write(descriptor, "1", 1)
            close(descriptor)
        }
        // Most entries are the kernel's own files, which have no names in them and which rmdir refuses.
        for entry in Machine.names(in: path) { removeCgroup("\(path)/\(entry)") }
        // Not gone at once if its processes are still dying; the next run sweeps again.
        rmdir(path)
    }
}

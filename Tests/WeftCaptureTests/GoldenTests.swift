import Glibc
import Testing
import WeftCapture
import WeftCore

/// Whole rulesets, as people read them. `WEFT_UPDATE_GOLDEN=1 swift test --filter GoldenTests` writes the files anew.
struct GoldenTests {
    struct Example: CustomTestStringConvertible, Sendable {
        let name: String
        let change: @Sendable (inout CaptureSpec) -> Void

        var testDescription: String { name }
    }

    static let examples = [
        Example(name: "default") { $0.inboundPorts = [80, 443, 5432] },
        Example(name: "outbound-only") { _ in },
        Example(name: "everything") {
            $0.inboundPorts = [80, 443]
            $0.capturesLocal = true
            $0.localPorts = [5432]
            $0.excludedPorts = [PortRange(25)] + [PortRange(first: 6000, last: 6063)].compactMap { $0 }
            $0.excludedAddresses = ["10.0.0.0/8", "192.168.0.0/17", "192.168.128.0/17", "fd00::/8"].map(IPPrefix.known)
            $0.excludedCgroups = [
                CgroupReference(level: 2, id: CgroupID(4711)), CgroupReference(level: 5, id: CgroupID(9)),
            ]
            $0.ownCgroup = CgroupReference(level: 2, id: CgroupID(1234))
            $0.excludedUsers = [UserID(998), UserID(33)]
            $0.failClosed = true
            $0.failClosedUsers = [UserID(1000)]
            $0.inboundSkippedInterfaces = [InterfaceName.known("docker0")]
        },
        Example(name: "mesh") {
            $0.scope = .mesh
            $0.meshDestinations = Set(
                ["10.0.0.12:8080", "10.0.0.13:8080", "[fd01::12]:8080"].compactMap(NetworkAddress.init)
            )
            $0.preservesClientAddress = false
            $0.inboundPorts = [8080]
        },
        // Debian 12: an owner, but nothing that outlives it.
        Example(name: "linux-6.1") {
            $0.inboundPorts = [80]
            $0.failClosed = true
            $0.failClosedUsers = [UserID(1000)]
            $0.features.present.remove(.persist)
        },
        Example(name: "least-kernel") {
            $0.inboundPorts = [80]
            $0.features = KernelFeatures([.nat, .redirect, .intervals])
        },
    ]

    @Test(arguments: examples)
    func rulesetIsAsRecorded(example: Example) throws {
        var spec = CaptureSpec()
        example.change(&spec)
        let plan = try CaptureRules.plan(for: spec)
        let text = plan.degraded.map { "# \($0)\n" }.joined() + plan.ruleset.description
        let path =
            String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
            + "/Golden/\(example.name).nft"
        if getenv("WEFT_UPDATE_GOLDEN") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(text, file)
            fclose(file)
        }
        #expect(try contents(of: path) == text)
    }

    private func contents(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"), "no file \(path)")
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

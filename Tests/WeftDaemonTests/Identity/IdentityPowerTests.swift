import Testing
import WeftAPI
import WeftConfig
import WeftCore
import WeftIdentity

@testable import WeftDaemon

/// The power fails between any two operations on the disk: the next start finds the old identity or the new one.
@Suite struct IdentityPowerTests {
    /// What a host is after it starts from some files: its mesh, roots, and whether it is well.
    private static func outcome(
        of files: [String: StateFile],
        _ name: String,
        _ world: TestWorld
    ) async throws -> (mesh: String, roots: [Fingerprint], problems: [String]) {
        let host = try TestHost(name, 77, files: TestFiles(files), configuration: Configuration(), world: world)
        await host.controller.start()
        let problems = await host.controller.problems().map(\.code)
        let snapshot = try #require(host.snapshot, "it has an identity: \(problems)")
        await host.controller.stop()
        host.controller.executor.stop()
        return (snapshot.mesh.text, snapshot.verifier.bundle.roots.map(\.fingerprint), problems)
    }

    @Test func founding() async throws {
        let world = TestWorld()
        let host = try await world.host("web-1", 1)
        _ = try await host.controller.up(UpRequest(name: "prod"))
        #expect(host.files.history.count >= 8)
        for files in host.files.history {
            #expect(try await Self.outcome(of: files, "web-1", world).problems == [])
        }
        #expect(try await Self.outcome(of: host.files.files, "web-1", world).mesh == "prod")
        await world.stop()
    }

    @Test func joiningOnBothSides() async throws {
        let world = TestWorld()
        let (first, second) = (try await world.host("web-1", 1), try await world.host("web-2", 2))
        let old = try #require(second.snapshot?.mesh.text)
        let new = try #require(first.snapshot?.mesh.text)
        let token = try await world.token(of: first)
        first.files.forgetHistory()
        second.files.forgetHistory()
        try await second.join(token)
        var meshes: [String] = []
        for files in second.files.history {
            let found = try await Self.outcome(of: files, "web-2", world)
            #expect(found.problems == [])
            meshes.append(found.mesh)
        }
        #expect(Set(meshes) == [old, new] && meshes == meshes.filter { $0 == old } + meshes.filter { $0 == new })
        // From each moment at which the token may have been used, and the answer lost, the join can be made with it again.
        let path = "/var/lib/weft/identity/state"
        let before = second.files.history.first?[path]?.content
        for files in second.files.history where files[path]?.content != before {
            guard try await Self.outcome(of: files, "web-2", world).mesh == old else { continue }
            let again = try TestHost("web-2", 2, files: TestFiles(files), configuration: Configuration(), world: world)
            await again.controller.start()
            try await again.join(token)
            #expect(again.snapshot?.mesh.text == new)
            await again.controller.stop()
            again.controller.executor.stop()
        }
        for files in first.files.history {
            #expect(try await Self.outcome(of: files, "web-1", world).mesh == new)
        }
        #expect(try await first.controller.tokens().map(\.used) == [1])
        await world.stop()
    }

    @Test func renewingAndRotating() async throws {
        let world = TestWorld()
        let hosts = try await world.mesh("web-1", "web-2")
        for host in hosts { host.files.forgetHistory() }
        _ = try await hosts[0].controller.rotate(CARotateRequest(force: false, cancel: false))
        await world.pass(seconds: 40)
        #expect(try await hosts[0].controller.caStatus().rotation == nil)
        for host in hosts {
            var roots: [[Fingerprint]] = []
            for files in host.files.history {
                let found = try await Self.outcome(of: files, host.name, world)
                #expect(found.problems == [])
                if roots.last != found.roots { roots.append(found.roots) }
            }
            // The old one, both, both the other way round, the new one.
            #expect(roots.map(\.count) == [1, 2, 2, 1], "\(host.name)")
        }
        await world.stop()
    }
}

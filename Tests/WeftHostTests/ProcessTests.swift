import Glibc
import Testing
import WeftCore

@testable import WeftHost

extension HostTests {
    @Suite("This process and this host")
    struct ProcessTests {
        @Test("The process knows its memory, CPU time and descriptors")
        func statistics() throws {
            let before = try ProcessStatistics.current()
            #expect(before.residentBytes > 1 << 20)
            #expect(before.cpuTime > .zero)
            #expect((1...before.descriptorsMax).contains(before.openDescriptors))
            let sockets = try (0..<100).map { _ in try LoopbackSocket(for: .loopbackV4) }
            #expect(try withExtendedLifetime(sockets) { try ProcessStatistics.current() }.openDescriptors >= 100)
        }

        @Test("The program's own pages are given back, and come back as they are used")
        func programPages() throws {
            #expect(ProgramPages.release() > 1 << 20)
            #expect(try ProcessStatistics.current().residentBytes > 1 << 20)
            #expect(ProgramPages.release() > 1 << 20)
        }

        @Test("Users and groups are found by name and number, and missing ones are nil")
        func users() throws {
            #expect(try UserDatabase.uid(ofName: "root") == .root)
            #expect(try UserDatabase.name(of: .root) == "root")
            #expect(try UserDatabase.gid(ofGroup: "root") == GroupID(0))
            #expect(try UserDatabase.groups(of: .root).contains(GroupID(0)))
            #expect(try UserDatabase.uid(ofName: "wefttest-nobody") == nil)
            #expect(try UserDatabase.uid(ofName: "") == nil)
            #expect(try UserDatabase.gid(ofGroup: "wefttest-nobody") == nil)
            #expect(try UserDatabase.name(of: UserID(3_999_999_999)) == nil)
            #expect(try UserDatabase.groups(of: UserID(3_999_999_999)) == [])
        }

        @Test("The host's own addresses are those of its interfaces")
        func ownAddresses() throws {
            let found = try inPrivateNetwork { () -> Set<IPAddress> in
                try run("ip", "address", "add", "10.1.2.3/32", "dev", "lo")
                try run("ip", "address", "add", "fd00::77/128", "dev", "lo", "nodad")
                return try OwnAddresses.current()
            }
            #expect(found == Set(["127.0.0.1", "::1", "10.1.2.3", "fd00::77"].compactMap { IPAddress($0) }))
        }

        @Test("Errors say what failed, with its values, why, and what helps")
        func errorText() {
            #expect(
                HostError("open /x", .system(ENOENT), remedy: "make it").description
                    == "open /x: No such file or directory (errno 2); make it"
            )
            #expect(HostError("read x", .overLimit(9)).description == "read x: more than the 9 allowed")
            #expect(HostError("read x", .malformed("`y` is no number")).description == "read x: `y` is no number")
        }
    }
}

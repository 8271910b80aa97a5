import Glibc
import Testing
import WeftCore

@testable import WeftHost

extension HostTests {
    @Suite("systemd's protocols")
    struct SystemdTests {
        @Test("Messages arrive as systemd reads them", arguments: [false, true])
        func messages(_ isAbstract: Bool) throws {
            try withTemporaryDirectory { directory in
                let manager = try FakeManager(isAbstract ? "@wefttest-notify-\(getpid())" : directory + "/notify")
                let notifier = try Notifier(path: manager.path)
                try notifier.ready(status: "two\nlines\r\nof text")
                #expect(try manager.receive() == ["READY=1", "STATUS=two lines of text"])
                try notifier.ready()
                #expect(try manager.receive() == ["READY=1"])
                try notifier.status("")
                #expect(try manager.receive() == ["STATUS="])
                try notifier.watchdog()
                #expect(try manager.receive() == ["WATCHDOG=1"])
                try notifier.stopping(status: "draining")
                #expect(try manager.receive() == ["STOPPING=1", "STATUS=draining"])
                try notifier.removeStored(name: "weft-nft")
                #expect(try manager.receive() == ["FDSTOREREMOVE=1", "FDNAME=weft-nft"])
                let before = Instant.now().nanoseconds / 1000
                try notifier.reloading()
                let reloading = try manager.receive()
                #expect(reloading.first == "RELOADING=1")
                let time = try #require(reloading.last.flatMap { UInt64($0.dropFirst("MONOTONIC_USEC=".count)) })
                #expect((before...Instant.now().nanoseconds / 1000).contains(time))
            }
        }

        @Test("A long status is cut between characters")
        func longStatus() throws {
            try withTemporaryDirectory { directory in
                let manager = try FakeManager(directory + "/notify")
                try Notifier(path: manager.path).status("x" + String(repeating: "\u{e9}", count: 2000))
                let line = try #require(try manager.receive().first)
                #expect(line.utf8.count == "STATUS=".utf8.count + 1023)
                #expect(line.hasSuffix("\u{e9}"))
            }
        }

        @Test("Stored descriptors are the same files on the other side")
        func descriptorPassing() throws {
            try withTemporaryDirectory { directory in
                let manager = try FakeManager(directory + "/notify")
                let notifier = try Notifier(path: manager.path)
                var pipe: [CInt] = [0, 0]
                try check(Glibc.pipe(&pipe), "pipe")
                defer { for end in pipe { close(end) } }
                try notifier.store(pipe, name: "weft-test")
                #expect(try manager.receive() == ["FDSTORE=1", "FDNAME=weft-test", "FDPOLL=0"])
                #expect(manager.descriptors.count == 2)
                let writer = try #require(manager.descriptors.last)
                #expect(write(writer, "hello", 5) == 5)
                var buffer = [UInt8](repeating: 0, count: 16)
                #expect(read(pipe[0], &buffer, buffer.count) == 5)
                #expect(String(decoding: buffer.prefix(5), as: UTF8.self) == "hello")
            }
        }

        @Test("Names and numbers that systemd would refuse are not sent")
        func refusedStores() throws {
            try withTemporaryDirectory { directory in
                let manager = try FakeManager(directory + "/notify")
                let notifier = try Notifier(path: manager.path)
                for name in ["", "a:b", "line\nbreak", "\u{e9}", String(repeating: "x", count: 256)] {
                    #expect(throws: HostError.self) { try notifier.store([0], name: name) }
                    #expect(throws: HostError.self) { try notifier.removeStored(name: name) }
                }
                #expect(throws: HostError.self) { try notifier.store([], name: "x") }
                #expect(throws: HostError.self) {
                    try notifier.store([CInt](repeating: 0, count: Notifier.descriptorsMax + 1), name: "x")
                }
                #expect(throws: HostError.self) { try notifier.store([-1], name: "x") }
                #expect(!manager.hasMessage)
            }
        }

        @Test(
            "A notify address that is none is refused, and one that nobody reads is an error",
            arguments: [
                "", "/", "relative", "@", "vsock:2:1234", "/" + String(repeating: "x", count: 107),
            ]
        )
        func badAddresses(_ path: String) throws {
            #expect(throws: HostError.self) { try Notifier(path: path) }
            let nobody = try Notifier(path: "/tmp/wefttest-no-such-socket")
            #expect(throws: HostError.self) { try nobody.ready() }
        }

        @Test("Inherited descriptors come with their names, close-on-exec")
        func inherited() throws {
            var pipe: [CInt] = [0, 0]
            try check(Glibc.pipe(&pipe), "pipe")
            defer { for end in pipe { close(end) } }
            #expect(fcntl(pipe[0], F_GETFD) == 0)
            let variables = ["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "weft-out4"]
            let found = try InheritedDescriptors.read(processID: getpid(), firstDescriptor: pipe[0]) { variables[$0] }
            #expect(found == [InheritedDescriptor(name: "weft-out4", descriptor: pipe[0])])
            #expect(fcntl(pipe[0], F_GETFD) == FD_CLOEXEC)
            let unnamed = try InheritedDescriptors.read(processID: getpid(), firstDescriptor: pipe[0]) {
                $0 == "LISTEN_FDNAMES" ? nil : variables[$0]
            }
            #expect(unnamed.map(\.name) == ["unknown"])
        }

        @Test(
            "Descriptors that are not for this process are left alone",
            arguments: [[:], ["LISTEN_PID": "1", "LISTEN_FDS": "3"], ["LISTEN_FDS": "3"], ["LISTEN_PID": "SELF"]]
        )
        func notInherited(_ variables: [String: String]) throws {
            let found = try InheritedDescriptors.read(processID: getpid(), firstDescriptor: 3) { name in
                variables[name].map { $0 == "SELF" ? "\(getpid())" : $0 }
            }
            #expect(found == [])
        }

        @Test(
            "Variables that systemd would not set are refused",
            arguments: [
                ["LISTEN_PID": "x", "LISTEN_FDS": "1"], ["LISTEN_PID": "SELF", "LISTEN_FDS": "-1"],
                ["LISTEN_PID": "SELF", "LISTEN_FDS": "many"], ["LISTEN_PID": "SELF", "LISTEN_FDS": "2000000"],
                ["LISTEN_PID": "SELF", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"],
                // No descriptor has this number.
                ["LISTEN_PID": "SELF", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a"],
            ]
        )
        func malformedVariables(_ variables: [String: String]) {
            #expect(throws: HostError.self) {
                try InheritedDescriptors.read(processID: getpid(), firstDescriptor: 1 << 30) { name in
                    variables[name].map { $0 == "SELF" ? "\(getpid())" : $0 }
                }
            }
        }

        @Test("Taking them removes the variables from the environment")
        func environmentIsCleared() throws {
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", "0", 1)
            setenv("LISTEN_FDNAMES", "", 1)
            #expect(try InheritedDescriptors.take() == [])
            for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { #expect(getenv(name) == nil) }
        }

        @Test("The watchdog's interval is read when it is meant for this process")
        func watchdog() throws {
            func interval(_ variables: [String: String]) throws -> Duration? {
                try Watchdog.interval(processID: 77) { variables[$0] }
            }
            #expect(try interval([:]) == nil)
            #expect(try interval(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
            #expect(try interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"]) == .seconds(30))
            #expect(try interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"]) == nil)
            for bad in ["", "0", "-5", "soon"] {
                #expect(throws: HostError.self) { try interval(["WATCHDOG_USEC": bad]) }
            }
            #expect(throws: HostError.self) { try interval(["WATCHDOG_USEC": "1", "WATCHDOG_PID": "x"]) }
        }
    }
}

/// The service manager's end of the notify socket.
private final class FakeManager {
    let path: String
    private(set) var descriptors: [CInt] = []
    private let socket: CInt

    init(_ path: String) throws {
        self.path = path
        socket = try check(Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0), "socket")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = MemoryLayout<sa_family_t>.size + name.count
        try check(
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(length)) }
            },
            "bind \(path)"
        )
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
        close(socket)
    }

    var hasMessage: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) >= 0
    }

    /// The lines of the next message; descriptors beside it go to `descriptors`.
    func receive() throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 8192)
        // cmsghdr: length (8 bytes), level, type, then the descriptors.
        var control = [UInt64](repeating: 0, count: 64)
        var length = 0
        bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    length = recvmsg(socket, &message, CInt(MSG_CMSG_CLOEXEC) | CInt(MSG_DONTWAIT))
                    let given = message.msg_controllen == 0 ? 0 : (Int(control.load(as: UInt64.self)) - 16) / 4
                    for index in 0..<max(0, given) {
                        descriptors.append(control.load(fromByteOffset: 16 + 4 * index, as: CInt.self))
                    }
                }
            }
        }
        guard length >= 0 else { throw TestFailure("recvmsg: \(String(cString: strerror(errno)))") }
        let text = String(decoding: bytes.prefix(length), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

import Testing

@testable import WeftDaemon

@Suite("Errors of the daemon")
struct DaemonErrorTests {
    @Test(
        "Say what failed, with its values, and what to do",
        arguments: [
            (
                .configurationUnreadable(path: "/etc/weft/weft.toml", reason: "Permission denied"),
                "cannot read /etc/weft/weft.toml: Permission denied; check that the file exists and that user weft may "
                    + "read it"
            ),
            (
                .configurationInvalid(path: "/x", diagnostics: ["line 1: a; b", "line 2: c; d"]),
                "/x is not valid:\n  line 1: a; b\n  line 2: c; d"
            ),
            (
                .listener(address: "127.0.0.1:15001", reason: "Address already in use"),
                "cannot listen on 127.0.0.1:15001: Address already in use; is another weftd running? See: ss -ltnp"
            ),
            (
                .apiSocket(path: "/run/weft/weft.sock", reason: "Permission denied"),
                "cannot make the API socket /run/weft/weft.sock: Permission denied; is the directory there and writable "
                    + "for user weft?"
            ),
            (
                .nodeName("a b"),
                "this host is called \"a b\", which cannot be a name in the mesh; set name in [node] of "
                    + "/etc/weft/weft.toml to 1 to 63 letters, digits and hyphens"
            ),
        ] as [(DaemonError, String)]
    )
    func texts(_ error: DaemonError, _ text: String) {
        #expect(error.description == text)
        #expect("\(error)" == text)
    }
}

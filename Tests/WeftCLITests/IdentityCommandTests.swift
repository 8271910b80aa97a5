import Testing
import WeftAPI

@testable import WeftCLI

/// What the commands about identity ask, refuse to ask, and end with.
@Suite struct IdentityCommandTests {
    @Test(
        "Each command sends what it was told, and waits as long as weftd may take",
        arguments: [
            (
                "join \(Answers.token)",
                request(.tokenJoin, #"{"force":false,"token":"\#(Answers.token)"}"#, seconds: 60)
            ),
            (
                "join --force \(Answers.token)",
                request(.tokenJoin, #"{"force":true,"token":"\#(Answers.token)"}"#, seconds: 60)
            ),
            (
                "token",
                request(.newToken, #"{"addresses":[],"uses":1,"validSeconds":86400}"#)
            ),
            (
                "token --valid 30m --uses 3 --allow web,shop/api --allow db --address web-1 --address [fd00::1]:15008",
                request(
                    .newToken,
                    #"{"addresses":["web-1","[fd00::1]:15008"],"allow":["web","shop/api","db"],"uses":3,"validSeconds":1800}"#
                )
            ),
            ("token --valid 366d", request(.newToken, #"{"addresses":[],"uses":1,"validSeconds":31622400}"#)),
            ("token list", DaemonRequest(.tokens)),
            ("token withdraw 00c0ffee00c0ffee", request(.withdrawToken, #"{"id":"00c0ffee00c0ffee"}"#)),
            ("cert", DaemonRequest(.certificates)),
            ("cert --mesh", DaemonRequest(.certificates, query: "mesh=1")),
            ("ca", DaemonRequest(.ca)),
            ("ca rotate", request(.rotateCA, #"{"cancel":false,"force":false}"#)),
            ("ca rotate --force", request(.rotateCA, #"{"cancel":false,"force":true}"#)),
            ("ca rotate --cancel", request(.rotateCA, #"{"cancel":true,"force":false}"#)),
            ("ca grant db-1", request(.grantCA, #"{"node":"db-1"}"#, seconds: 25)),
            ("ca export", DaemonRequest(.exportCA)),
            ("revoke db-1", request(.revoke, #"{"node":"db-1"}"#)),
            ("up", request(.up, "{}")), ("up --name fra1", request(.up, #"{"name":"fra1"}"#)),
        ] as [(String, DaemonRequest)]
    )
    func requests(_ line: String, _ expected: DaemonRequest) async {
        let transport = CannedTransport.always("{}")
        _ = await weft(line, transport)
        #expect(transport.asked == [expected])
    }

    @Test("A token on standard input is sent as one in the arguments is", arguments: ["", " ", "\r"])
    func tokenOnStandardInput(_ end: String) async {
        let transport = CannedTransport.always(Answers.tokenJoined)
        let run = await weft(["join", "-"], transport, input: Answers.token + end)
        #expect(run.status == .good)
        #expect(transport.asked.map(\.body) == [Array(#"{"force":false,"token":"\#(Answers.token)"}"#.utf8)])
    }

    @Test(
        "What is no token on standard input is refused, and not repeated",
        arguments: [nil, "", "10.0.0.1", "s3cret"]
    )
    func badTokenOnStandardInput(_ input: String?) async {
        let transport = CannedTransport.always("{}")
        let run = await weft(["join", "-"], transport, input: input)
        #expect(run.status == .usage)
        #expect(transport.asked.isEmpty)
        #expect(run.errorOutput.contains("Standard input does not begin with a line that is a token"))
        if let input, !input.isEmpty { #expect(!run.errorOutput.contains(input)) }
    }

    @Test(
        "What cannot be right is refused before weftd is asked, without repeating a token",
        arguments: [
            "join --force 10.0.0.12", "join \(Answers.token) 10.0.0.12", "join 10.0.0.12 \(Answers.token)",
            "join \(Answers.token) \(Answers.token)", "join - 10.0.0.12", "join -- - -",
            "token --valid 1w", "token --valid 367d", "token --valid 24", "token --valid 0s", "token --valid 8785h",
            "token --valid h",
            "token --valid 99999999999999999999s", "token --uses 0", "token --uses 1025", "token --allow Web",
            "token --allow web,", "token --allow a/b/c", "token --allow /b", "token --address 10.0.0.300", "token x",
            "token list x", "token withdraw", "token withdraw \(Answers.token)", "token withdraw 00c0ffee00c0ffe",
            "token withdraw 00c0ffee00c0ffeg", "up fra1", "up --name Fra1", "up --name",
            "cert x", "ca x", "ca rotate --force --cancel", "ca grant", "ca grant a b", "ca import", "ca export x",
            "revoke", "revoke a b", "ping", "ping a b c", "ping web -", "ping - api", "ping -> api", "ping web ->",
            "ping a -> b -> c", "ping a b -> c", "ping --colour api", "ping -x api",
        ]
    )
    func refusals(_ line: String) async {
        let transport = CannedTransport.always("{}")
        let run = await weft(line, transport)
        #expect(run.status == .usage)
        #expect(run.output.isEmpty)
        #expect(run.errorOutput.contains("Usage: weft"))
        #expect(!run.errorOutput.contains(Answers.token))
        #expect(transport.asked.isEmpty)
    }

    @Test(
        "ping takes an arrow or none, in one argument or in several, and options anywhere",
        arguments: [
            ["ping", "web", "api"], ["ping", "web", "->", "api"], ["ping", "web -> api"], ["ping", "web->api"],
            ["ping", "web", "->api"], ["ping", "web->", "api"], ["-o", "json", "ping", "web", "api"],
            ["ping", "web", "->", "api", "-o", "json"], ["ping", "-o", "json", "web -> api"],
        ]
    )
    func pingWords(_ arguments: [String]) async {
        let transport = CannedTransport.always(Answers.ping)
        let run = await weft(arguments, transport)
        #expect(run.status == .good)
        #expect(transport.asked == [Self.request(.ping, #"{"destination":"api","source":"web"}"#, seconds: 30)])
    }

    @Test("ping without a source is from the host")
    func pingFromHost() async {
        let transport = CannedTransport.always(Answers.ping)
        _ = await weft("ping 10.0.0.12:8080", transport)
        #expect(transport.asked == [Self.request(.ping, #"{"destination":"10.0.0.12:8080"}"#, seconds: 30)])
    }

    @Test("ping ends with 1 when a layer fails or none was tried", arguments: ["table", "json"])
    func pingExit(_ format: String) async {
        #expect(await weft("ping api -o \(format)", .always(Answers.ping)).status == .good)
        #expect(await weft("ping api -o \(format)", .always(Answers.pingDenied)).status == .problem)
        let nothing = #"{"source":"host","destination":"api","steps":[]}"#
        #expect(await weft("ping api -o \(format)", .always(nothing)).status == .problem)
    }

    @Test("An empty name revokes nobody and grants nothing", arguments: [["revoke", ""], ["ca", "grant", ""]])
    func emptyNames(_ arguments: [String]) async {
        let transport = CannedTransport.always("{}")
        #expect(await weft(arguments, transport).status == .usage)
        #expect(transport.asked.isEmpty)
    }

    @Test("An authority is read from a file or from standard input", arguments: ["ca.pem", "-"])
    func importedAuthority(_ file: String) async {
        let pem = "-----BEGIN PRIVATE KEY-----\nx\n"
        let transport = CannedTransport.always(Answers.ca)
        let run = await weft(["ca", "import", file], transport, input: pem, files: ["ca.pem": pem])
        #expect(run.output == "This host holds the authority of fra1.\nNext: weft ca\n")
        let body = Array(#"{"pem":"-----BEGIN PRIVATE KEY-----\nx\n"}"#.utf8)
        #expect(transport.asked == [DaemonRequest(.importCA, body: body)])
    }

    @Test("An authority that becomes the next root is told as a rotation")
    func importedRoot() async {
        let transport = CannedTransport.always(Answers.caRotating)
        let run = await weft(["ca", "import", "-"], transport, input: "-----BEGIN CERTIFICATE-----")
        #expect(run.output.hasPrefix("A rotation is under way: the next root is being made known; waiting for db-1."))
    }

    @Test("A file that is not there or no PEM is refused, and not repeated", arguments: ["gone.pem", "text", "-"])
    func badAuthorityFile(_ file: String) async {
        let transport = CannedTransport.always(Answers.ca)
        let run = await weft(["ca", "import", file], transport, input: "s3cret", files: ["text": "s3cret"])
        #expect(run.status == .usage)
        #expect(run.errorOutput.contains("cannot be used: "))
        #expect(!run.errorOutput.contains("s3cret"))
        #expect(transport.asked.isEmpty)
    }

    @Test("cert ends with 1 when a certificate has ended or is not renewed", arguments: ["table", "json"])
    func certificateExit(_ format: String) async {
        #expect(await weft("cert -o \(format)", .always(Answers.certificates)).status == .good)
        #expect(await weft("cert -o \(format)", .always(Answers.certificatesFailing)).status == .problem)
        let ended = Answers.certificates.replacing("80000", with: "-1")
        #expect(await weft("cert -o \(format)", .always(ended)).status == .problem)
    }

    @Test(
        "Identities are shortened for people",
        arguments: [
            ("spiffe://fra1/ns/shop/sa/api", "api.shop"), ("spiffe://fra1/ns/weft/sa/db-1", "host db-1"),
            ("spiffe://fra1/ns/Weft/sa/api", "api.weft"), ("spiffe://fra1", "mesh fra1"),
            ("spiffe://fra1/ns/shop/sa", "spiffe://fra1/ns/shop/sa"), ("spiffe://", "spiffe://"), ("", ""),
            ("spiffe://fra1/ns/Shop/sa/api", "spiffe://fra1/ns/Shop/sa/api"),
        ]
    )
    func shortIdentities(_ text: String, _ shown: String) { #expect(shownIdentity(text) == shown) }

    private static func request(_ route: APIRoute, _ body: String, seconds: Int? = nil) -> DaemonRequest {
        DaemonRequest(route, body: Array(body.utf8), timeout: seconds.map { .seconds($0) })
    }
}

import WeftAPI

@testable import WeftCLI

extension GoldenTests {
    /// Everything about identity, tokens and the authority.
    static let identity = [
        Case("join-token", "join \(Answers.token)", .answering(.tokenJoin, Answers.tokenJoined)),
        Case("join-token-partly", "join \(Answers.token) --force", .answering(.tokenJoin, Answers.tokenJoinedPartly)),
        Case(
            "join-token-partly-ascii-60",
            "join \(Answers.token)",
            .answering(.tokenJoin, Answers.tokenJoinedPartly),
            style: ascii60
        ),
        Case("join-token-json", "join \(Answers.token) -o json", .answering(.tokenJoin, Answers.tokenJoined)),
        Case("join-token-refused", "join \(Answers.token)", .always(409, Answers.tokenRefusal)),
        Case("token", "token", .answering(.newToken, Answers.tokenMade)),
        Case("token-ascii-60", "token new --uses 3", .answering(.newToken, Answers.tokenMade), style: ascii60),
        Case("token-json", "token -o json", .answering(.newToken, Answers.tokenMade)),
        Case("token-list", "token list", .answering(.tokens, Answers.tokens)),
        Case("token-list-empty", "token list", .answering(.tokens, "[]")),
        Case("token-list-json", "token list -o json", .answering(.tokens, Answers.tokens)),
        Case("token-withdraw", "token withdraw 00c0ffee00c0ffee", .answering(.withdrawToken, #"{"done":true}"#)),
        Case("up", "up --name fra1", .answering(.up, Answers.up)),
        Case("up-again", "up", .answering(.up, Answers.upAgain)),
        Case("up-json", "up -o json", .answering(.up, Answers.up)),
        Case("cert", "cert", .answering(.certificates, Answers.certificates)),
        Case("cert-ascii-60", "cert", .answering(.certificates, Answers.certificates), style: ascii60),
        Case("cert-failing", "cert", .answering(.certificates, Answers.certificatesFailing)),
        Case("cert-mesh", "cert --mesh", .answering(.certificates, query: "mesh=1", Answers.certificatesOfMesh)),
        Case("cert-empty", "cert", .answering(.certificates, "[]")),
        Case("cert-json", "cert -o json", .answering(.certificates, Answers.certificatesFailing)),
        Case("ca", "ca", .answering(.ca, Answers.ca)),
        Case("ca-elsewhere", "ca show", .answering(.ca, Answers.caElsewhere)),
        Case("ca-elsewhere-ascii-60", "ca", .answering(.ca, Answers.caElsewhere), style: ascii60),
        Case("ca-away", "ca", .answering(.ca, Answers.caAway)),
        Case("ca-json", "ca -o json", .answering(.ca, Answers.caElsewhere)),
        Case("ca-rotate", "ca rotate", .answering(.rotateCA, Answers.caRotating)),
        Case("ca-rotate-cancel", "ca rotate --cancel", .answering(.rotateCA, Answers.ca)),
        Case("ca-grant", "ca grant db-1", .answering(.grantCA, Answers.ca)),
        Case("ca-grant-refused", "ca grant db-1", .always(409, Answers.caRefusal)),
        Case("ca-export", "ca export", .answering(.exportCA, Answers.caKey)),
        Case("ca-export-json", "ca export -o json", .answering(.exportCA, Answers.caKey)),
        Case("revoke", "revoke db-9", .answering(.revoke, Answers.ca)),
        Case("revoke-json", "revoke db-9 -o json", .answering(.revoke, Answers.ca)),
        Case("ping", "ping web -> api", .answering(.ping, Answers.ping)),
        Case("ping-denied", "ping api", .answering(.ping, Answers.pingDenied)),
        Case("ping-denied-ascii-60", "ping api", .answering(.ping, Answers.pingDenied), style: ascii60),
        Case("ping-json", "ping web api -o json", .answering(.ping, Answers.pingDenied)),
        Case("ping-nothing", "ping api", .answering(.ping, #"{"source":"host","destination":"api","steps":[]}"#)),
        Case("decisions-denied", "decisions", .answering(.decisions, query: "last=20", Answers.decisionsDenied)),
        Case(
            "decisions-denied-ascii-60",
            "decisions",
            .answering(.decisions, query: "last=20", Answers.decisionsDenied),
            style: ascii60
        ),
    ]
}

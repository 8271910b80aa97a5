import WeftAPI

@testable import WeftDaemon

/// Identity, the authority, and tokens.
extension FixedReports {
    func up(_ request: UpRequest) throws -> UpResponse {
        try answer(.up(request), UpResponse(mesh: "prod", node: "web-1", isNew: true))
    }

    func join(_ request: TokenJoinRequest) throws -> TokenJoinResponse {
        try answer(
            .tokenJoin(request),
            TokenJoinResponse(mesh: "prod", node: "web-1", peersAlive: 2, reach: [], warnings: ["w"])
        )
    }

    func tokens() throws -> [TokenRow] {
        try answer(.tokens, [TokenRow(id: "1f", expires: "e", uses: 3, used: 1, allow: ["web"])])
    }

    func makeToken(_ request: TokenRequest) throws -> TokenResponse {
        try answer(
            .makeToken(request),
            TokenResponse(id: "1f", token: "weft1_x", mesh: "prod", expires: "e", uses: request.uses)
        )
    }

    func withdrawToken(_ request: TokenWithdrawRequest) throws -> DoneResponse {
        try answer(.withdrawToken(request), DoneResponse())
    }

    func certificates(ofMesh: Bool) throws -> [CertificateRow] {
        try answer(
            .certificates(ofMesh: ofMesh),
            [
                CertificateRow(
                    node: "web-1",
                    kind: .leaf,
                    identity: "spiffe://prod/ns/system/sa/web",
                    issuer: "spiffe://prod/ns/weft/sa/web-1",
                    serial: "0a",
                    notAfter: "e",
                    leftSeconds: 5,
                    renewsSeconds: 2,
                    failures: 0
                )
            ]
        )
    }

    func authority() throws -> CAStatus { try answer(.authority, Self.status) }

    func rotateAuthority(_ request: CARotateRequest) throws -> CAStatus {
        try answer(.rotateAuthority(request), Self.status)
    }

    func grantAuthority(_ request: NodeRequestBody) throws -> CAStatus {
        try answer(.grantAuthority(request), Self.status)
    }

    func exportAuthority() throws -> CAKeyText { try answer(.exportAuthority, CAKeyText(pem: "p")) }

    func importAuthority(_ text: CAKeyText) throws -> CAStatus { try answer(.importAuthority(text), Self.status) }

    func revoke(_ request: NodeRequestBody) throws -> CAStatus { try answer(.revoke(request), Self.status) }

    func ping(_ request: PingRequest) throws -> PingResponse {
        try answer(
            .ping(request),
            PingResponse(
                source: "host",
                destination: request.destination,
                steps: [.init(layer: .reach, isGood: false, text: "t", next: "n", milliseconds: 1.5)]
            )
        )
    }

    private static let status = CAStatus(
        mesh: "prod",
        isHolder: true,
        holders: ["web-1"],
        roots: ["ab"],
        version: 3,
        rotation: .prepared,
        waitingFor: ["db-1"],
        revoked: []
    )
}

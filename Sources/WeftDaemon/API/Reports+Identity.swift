internal import WeftAPI

/// Identity, the authority, and tokens: all of it the identity's own business.
extension Reports {
    func up(_ request: UpRequest) async throws -> UpResponse { try await identity.up(request) }

    func join(_ request: TokenJoinRequest) async throws -> TokenJoinResponse { try await identity.join(request) }

    func tokens() async throws -> [TokenRow] { try await identity.tokens() }

    func makeToken(_ request: TokenRequest) async throws -> TokenResponse { try await identity.makeToken(request) }

    func withdrawToken(_ request: TokenWithdrawRequest) async throws -> DoneResponse {
        _ = try await identity.withdrawToken(request)
        return DoneResponse()
    }

    func certificates(ofMesh: Bool) async throws -> [CertificateRow] {
        try await identity.certificates(ofMesh: ofMesh)
    }

    func authority() async throws -> CAStatus { try await identity.caStatus() }

    func rotateAuthority(_ request: CARotateRequest) async throws -> CAStatus {
        try await identity.rotate(request)
    }

    func grantAuthority(_ request: NodeRequestBody) async throws -> CAStatus {
        try await identity.grantAuthority(request)
    }

    func exportAuthority() async throws -> CAKeyText { try await identity.exportAuthority() }

    func importAuthority(_ text: CAKeyText) async throws -> CAStatus { try await identity.importAuthority(text) }

    func revoke(_ request: NodeRequestBody) async throws -> CAStatus { try await identity.revoke(request) }

    func ping(_ request: PingRequest) async throws -> PingResponse {
        try await Pinger(plane: plane, controller: controller, identity: identity, reach: reach).ping(request)
    }
}

internal import Hummingbird
internal import WeftAPI

/// Identity, the authority, and tokens: to be told to those who see everything, to be changed by root.
extension APIServer {
    func addIdentityRoutes(to router: Router<APIContext>) {
        let reports = self.reports
        /// A route that only root may use.
        func change<Answer: Encodable & Sendable>(
            _ route: APIRoute,
            _ what: String,
            _ command: String,
            _ answer: @escaping @Sendable (Request) async throws -> Answer
        ) {
            router.add(route) { request, viewer in
                try viewer.require(viewer.mayChange, toDo: what, next: "sudo weft \(command)")
                return try await answer(request)
            }
        }
        change(.up, "found a mesh", "up") { try await reports.up(body(of: $0)) }
        change(.tokenJoin, "join a mesh", "join TOKEN") { try await reports.join(body(of: $0) as TokenJoinRequest) }
        change(.tokens, "see tokens", "token list") { _ in try await reports.tokens() }
        change(.newToken, "let hosts in", "token") { try await reports.makeToken(body(of: $0)) }
        change(.withdrawToken, "withdraw tokens", "token withdraw ID") {
            try await reports.withdrawToken(body(of: $0))
        }
        change(.rotateCA, "rotate the root", "ca rotate") { try await reports.rotateAuthority(body(of: $0)) }
        change(.grantCA, "give the authority to hosts", "ca grant HOST") {
            try await reports.grantAuthority(body(of: $0))
        }
        change(.exportCA, "take the authority's key out", "ca export") { _ in try await reports.exportAuthority() }
        change(.importCA, "bring an authority in", "ca import FILE") {
            try await reports.importAuthority(body(of: $0))
        }
        change(.revoke, "revoke hosts", "revoke HOST") { try await reports.revoke(body(of: $0)) }
        change(.ping, "try the way to services", "ping SERVICE") { try await reports.ping(body(of: $0)) }
        router.add(.certificates) { request, viewer in
            try viewer.require(viewer.seesAll, toDo: "list certificates", next: "sudo weft cert")
            return try await reports.certificates(ofMesh: request.uri.queryParameters["mesh"] == "1")
        }
        router.add(.ca) { _, viewer in
            try viewer.require(viewer.seesAll, toDo: "see the authority", next: "sudo weft ca")
            return try await reports.authority()
        }
    }
}

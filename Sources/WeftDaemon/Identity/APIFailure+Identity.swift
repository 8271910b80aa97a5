internal import HTTPTypes
internal import WeftAPI
internal import WeftCore
internal import WeftIdentity

/// What the identity refuses, in the words that the one who asked sees.
extension APIFailure {
    static func badMeshName(_ text: String) -> APIFailure {
        APIFailure(
            .badRequest,
            code: "bad-mesh-name",
            text:
                "\(text.prefix(100)) is no name of a mesh: 1 to 63 lower-case letters, digits, \"-\", \"_\" and \".\"",
            next: "weft up --name prod"
        )
    }

    static func badNode(_ text: String) -> APIFailure {
        APIFailure(
            .badRequest,
            code: "bad-host",
            text: "\(text.prefix(200)) is no name of a host",
            next: "weft peers"
        )
    }

    /// What went wrong on this host itself.
    static func failed(_ text: String) -> APIFailure {
        APIFailure(.internalServerError, code: "identity-failed", text: text, next: "journalctl -u weftd -n 50")
    }

    static func noIdentity(_ failure: IdentityController.Failure?) -> APIFailure {
        guard let failure else { return failed("weftd has not loaded its identity yet") }
        return APIFailure(.conflict, code: failure.code, text: failure.text, next: failure.next)
    }

    /// Only a host with the authority can do it.
    static func notHolder(_ holders: [String]) -> APIFailure {
        APIFailure(
            .conflict,
            code: "not-holder",
            text: holders.isEmpty
                ? "this host does not hold the authority of the mesh, and no host that is alive does"
                : "this host does not hold the authority of the mesh; \(holders.joined(separator: ", ")) does",
            next: holders.first.map { "the same command on \($0)" } ?? "sudo weft ca import FILE"
        )
    }

    static func refused(_ refusal: JoinRefusal, next: String = "weft token on a host of the mesh") -> APIFailure {
        APIFailure(.conflict, code: refusal.name, text: "\(refusal)", next: next)
    }

    static func wrongStep(_ text: String) -> APIFailure {
        APIFailure(.conflict, code: "wrong-step", text: text, next: "weft ca")
    }
}

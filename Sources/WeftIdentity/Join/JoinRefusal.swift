/// Why a host was not let in. The raw value travels and is counted; `description` is for people on both sides.
package enum JoinRefusal: UInt8, Error, Sendable, CaseIterable {
    /// No token of this id and secret: mistyped, from another mesh, or forgotten by now.
    case unknownToken = 1
    /// All its uses are used up, by other hosts.
    case exhaustedToken = 2
    case expiredToken = 3
    /// The text ended too early.
    case truncatedToken = 4
    /// The text is no token, or was mistyped.
    case malformedToken = 5
    /// The token is of another mesh than the one that answers.
    case wrongMesh = 6
    /// A live host has the name.
    case nameTaken = 7
    /// The request could not be read or is not signed by its key.
    case malformedRequest = 8
    /// The one who was asked holds no authority.
    case noAuthority = 9
    /// The authority failed; its log says how.
    case failed = 10
    /// A renewal of an intermediate that this mesh's authority never signed, or that a root of before signed and the
    /// authority does not remember.
    case unknownHost = 11
    /// A renewal after the grace.
    case pastGrace = 12
    /// A renewal by a host that was revoked.
    case revoked = 13

    /// What metrics and JSON say.
    package var name: String {
        switch self {
        case .unknownToken: "unknown-token"
        case .exhaustedToken: "exhausted-token"
        case .expiredToken: "expired-token"
        case .truncatedToken: "truncated-token"
        case .malformedToken: "malformed-token"
        case .wrongMesh: "wrong-mesh"
        case .nameTaken: "name-taken"
        case .malformedRequest: "malformed-request"
        case .noAuthority: "no-authority"
        case .failed: "failed"
        case .unknownHost: "unknown-host"
        case .pastGrace: "past-grace"
        case .revoked: "revoked"
        }
    }
}

extension JoinRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownToken: "the mesh does not know this token; make one with: weft token"
        case .exhaustedToken: "this token has been used as often as it may be; make another with: weft token"
        case .expiredToken: "this token has expired; make another with: weft token"
        case .truncatedToken: "the token is cut off at the end; copy the whole line"
        case .malformedToken: "this is not a token, or it was mistyped; copy the line as weft token printed it"
        case .wrongMesh: "the token is of another mesh than the one that answered"
        case .nameTaken: "another host of the mesh has this host's name; choose another in /etc/weft/weft.toml"
        case .malformedRequest: "the request could not be read; do both hosts run the same version of weft?"
        case .noAuthority: "the host that answered cannot sign for new hosts; use a token made on one that can"
        case .failed: "the host that answered could not sign; see its journal"
        case .unknownHost: "this host's certificate is not of the mesh's present authority; join again with a new token"
        case .pastGrace: "this host was away for too long to renew its certificate; join again with a new token"
        case .revoked: "this host was revoked; join again with a new token"
        }
    }
}

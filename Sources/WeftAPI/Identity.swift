/// `POST /v1/mesh/up`: gives the mesh of one a name, or makes a fresh one.
package struct UpRequest: Codable, Sendable, Equatable {
    /// Nil keeps the name, or makes one up.
    package var name: String?

    package init(name: String?) { self.name = name }
}

/// What came of it.
package struct UpResponse: Codable, Sendable, Equatable {
    package var mesh: String
    package var node: String
    /// Whether a new mesh was founded; false when there was nothing to do.
    package var isNew: Bool

    package init(mesh: String, node: String, isNew: Bool) {
        self.mesh = mesh
        self.node = node
        self.isNew = isNew
    }
}

/// `POST /v1/mesh/join`: joins the mesh that a token is for.
package struct TokenJoinRequest: Codable, Sendable, Equatable {
    package var token: String
    /// Leaves a mesh of several hosts for it.
    package var force: Bool

    package init(token: String, force: Bool) {
        self.token = token
        self.force = force
    }
}

/// What came of it.
package struct TokenJoinResponse: Codable, Sendable, Equatable {
    package var mesh: String
    package var node: String
    /// Hosts that are alive in the mesh, this one included.
    package var peersAlive: Int
    /// The ports that were tried, both ways.
    package var reach: [ReachRow]
    /// What should be seen to, such as a clock that is off; one sentence each.
    package var warnings: [String]

    package init(mesh: String, node: String, peersAlive: Int, reach: [ReachRow], warnings: [String]) {
        self.mesh = mesh
        self.node = node
        self.peersAlive = peersAlive
        self.reach = reach
        self.warnings = warnings
    }
}

/// One port, tried in one direction.
package struct ReachRow: Codable, Sendable, Equatable {
    package var from: String
    package var to: String
    /// `tcp` or `udp`.
    package var transport: String
    package var port: UInt16
    package var isOpen: Bool
    /// What to do when it is closed: the firewall line that is missing.
    package var next: String?

    package init(from: String, to: String, transport: String, port: UInt16, isOpen: Bool, next: String?) {
        self.from = from
        self.to = to
        self.transport = transport
        self.port = port
        self.isOpen = isOpen
        self.next = next
    }
}

/// `POST /v1/mesh/tokens/new`: makes a token that lets hosts in.
package struct TokenRequest: Codable, Sendable, Equatable {
    package var validSeconds: Int
    /// How many hosts it lets in.
    package var uses: Int
    /// What those hosts may speak for: `web`, `tenant/web`. Nil for everything.
    package var allow: [String]?
    /// Where the join service answers, when this host's own addresses are not the ones to dial.
    package var addresses: [String]

    package init(validSeconds: Int, uses: Int, allow: [String]?, addresses: [String]) {
        self.validSeconds = validSeconds
        self.uses = uses
        self.allow = allow
        self.addresses = addresses
    }
}

/// A token, secret and all: the only answer that ever has one.
package struct TokenResponse: Codable, Sendable, Equatable {
    package var id: String
    package var token: String
    package var mesh: String
    /// RFC 3339.
    package var expires: String
    package var uses: Int

    package init(id: String, token: String, mesh: String, expires: String, uses: Int) {
        self.id = id
        self.token = token
        self.mesh = mesh
        self.expires = expires
        self.uses = uses
    }
}

/// One row of `GET /v1/mesh/tokens`: a token without its secret.
package struct TokenRow: Codable, Sendable, Equatable {
    package var id: String
    package var expires: String
    package var uses: Int
    package var used: Int
    package var allow: [String]?

    package init(id: String, expires: String, uses: Int, used: Int, allow: [String]?) {
        self.id = id
        self.expires = expires
        self.uses = uses
        self.used = used
        self.allow = allow
    }
}

/// `POST /v1/mesh/tokens/withdraw`
package struct TokenWithdrawRequest: Codable, Sendable, Equatable {
    package var id: String

    package init(id: String) { self.id = id }
}

/// One row of `GET /v1/certificates`: a certificate of this host, or with `?mesh=1` the intermediate of each host.
package struct CertificateRow: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable {
        case root, intermediate, leaf
    }

    package var node: String
    package var kind: Kind
    /// `spiffe://MESH/ns/TENANT/sa/SERVICE`; of a root `spiffe://MESH`.
    package var identity: String
    package var issuer: String
    /// Hexadecimal; nil when only the end is known.
    package var serial: String?
    /// RFC 3339.
    package var notAfter: String
    /// Seconds until it ends; negative when it has ended.
    package var leftSeconds: Double
    /// Seconds until it is renewed; nil for what is not renewed by itself.
    package var renewsSeconds: Double?
    /// Failed tries to renew it since it was due.
    package var failures: Int

    package init(
        node: String,
        kind: Kind,
        identity: String,
        issuer: String,
        serial: String?,
        notAfter: String,
        leftSeconds: Double,
        renewsSeconds: Double?,
        failures: Int
    ) {
        self.node = node
        self.kind = kind
        self.identity = identity
        self.issuer = issuer
        self.serial = serial
        self.notAfter = notAfter
        self.leftSeconds = leftSeconds
        self.renewsSeconds = renewsSeconds
        self.failures = failures
    }
}

/// `GET /v1/ca`: the authority of the mesh as this host knows it.
package struct CAStatus: Codable, Sendable, Equatable {
    package enum Rotation: String, Codable, Sendable {
        /// The next root is being made known.
        case prepared
        /// The next root signs, the old one is still trusted.
        case switched
    }

    package var mesh: String
    /// Whether this host holds the authority.
    package var isHolder: Bool
    /// Hosts that do, as far as they are alive.
    package var holders: [String]
    /// SHA-256 of each trusted root, the one that signs first.
    package var roots: [String]
    /// Version of the trust bundle.
    package var version: UInt64
    package var rotation: Rotation?
    /// Hosts that the next step of a rotation waits for.
    package var waitingFor: [String]
    package var revoked: [String]

    package init(
        mesh: String,
        isHolder: Bool,
        holders: [String],
        roots: [String],
        version: UInt64,
        rotation: Rotation?,
        waitingFor: [String],
        revoked: [String]
    ) {
        self.mesh = mesh
        self.isHolder = isHolder
        self.holders = holders
        self.roots = roots
        self.version = version
        self.rotation = rotation
        self.waitingFor = waitingFor
        self.revoked = revoked
    }
}

/// `POST /v1/ca/rotate`: begins a rotation, which goes on by itself. Answers with `CAStatus`.
package struct CARotateRequest: Codable, Sendable, Equatable {
    /// Takes the next step without waiting for hosts that are away.
    package var force: Bool
    /// Gives up a rotation whose new root does not sign yet.
    package var cancel: Bool

    package init(force: Bool, cancel: Bool) {
        self.force = force
        self.cancel = cancel
    }
}

/// `POST /v1/ca/grant` and `POST /v1/revoke`
package struct NodeRequestBody: Codable, Sendable, Equatable {
    package var node: String

    package init(node: String) { self.node = node }
}

/// `POST /v1/ca/import` and the answer of `POST /v1/ca/export`: key and certificates as PEM.
package struct CAKeyText: Codable, Sendable, Equatable {
    package var pem: String

    package init(pem: String) { self.pem = pem }
}

/// `POST /v1/ping`: tries the way from a local service to another service, layer by layer.
package struct PingRequest: Codable, Sendable, Equatable {
    /// A unit's service name on this host; nil for the host itself.
    package var source: String?
    /// A service's name, or ADDRESS:PORT.
    package var destination: String

    package init(source: String?, destination: String) {
        self.source = source
        self.destination = destination
    }
}

/// What each layer said, up to the one that failed.
package struct PingResponse: Codable, Sendable, Equatable {
    package enum Layer: String, Codable, Sendable, CaseIterable {
        case capture, reach, tls, policy, app
    }

    package struct Step: Codable, Sendable, Equatable {
        package var layer: Layer
        package var isGood: Bool
        package var text: String
        /// What to do about it.
        package var next: String?
        package var milliseconds: Double?

        package init(layer: Layer, isGood: Bool, text: String, next: String?, milliseconds: Double?) {
            self.layer = layer
            self.isGood = isGood
            self.text = text
            self.next = next
            self.milliseconds = milliseconds
        }
    }

    /// Identities, or names where there are none.
    package var source: String
    package var destination: String
    package var steps: [Step]

    package init(source: String, destination: String, steps: [Step]) {
        self.source = source
        self.destination = destination
        self.steps = steps
    }
}

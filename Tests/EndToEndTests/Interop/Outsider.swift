import Testing
import WeftAPI
import WeftTestRig

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// A host without weft that has certificates of a mesh: Envoy, libcurl and others who speak its protocol.
struct Outsider: Sendable {
    let host: TestHost
    /// The host of the mesh that it talks to, and where.
    let member: TestHost
    let mesh: String

    static let pki = "/srv/pki"
    var node: String { "\(member.address4):15008" }
    func identity(_ name: String) -> String { "spiffe://\(mesh)/ns/default/sa/\(name)" }

    /// Boots a member of a mesh and an outsider with certificates from the mesh's authority, made with openssl from what
    /// `weft ca export` gives.
    static func with(configuration: String? = nil, _ body: (Outsider) async throws -> Void) async throws {
        try await withIdentities(2, members: 1, configuration: configuration.map { ["h1": $0] } ?? [:]) { hosts in
            let outsider = Outsider(host: hosts[1], member: hosts[0], mesh: try await hosts[0].authority().mesh)
            try await issue(by: hosts[0], on: hosts[1])
            try await hosts[0].serveTraffic()
            try await waitUntil("echo is seen") { try await hosts[0].services().contains { $0.name == "echo" } }
            try await body(outsider)
        }
    }

    /// Makes the certificates with the authority's key.
    static func issue(by member: TestHost, on host: TestHost) async throws {
        let authority = try await member.run("weft", "ca", "export").standardOutput
        try await host.write(authority, to: "\(pki)/authority.pem", mode: "600")
        try await host.shell(issuing, input: try await member.authority().mesh + "\n")
    }

    /// hbone.md appendix A. Everybody may read the keys: this host ends with its test.
    private static let issuing = #"""
        read -r mesh
        cd /srv/pki
        openssl pkey -in authority.pem -out ca.key
        openssl x509 -in authority.pem -out ca.pem
        openssl ecparam -name prime256v1 -genkey -noout -out other.key
        openssl req -x509 -new -key other.key -subj /CN=other -days 10 -sha256 -out other.pem
        leaf() {
            openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"
            openssl req -new -key "$1.key" -subj / -out "$1.csr"
            printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$1.ext"
            printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=critical,%s\n' "$2" >>"$1.ext"
            openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -days "$4" -sha256 \
                -extfile "$1.ext" -out "$1.crt"
        }
        leaf outsider "URI:spiffe://$mesh/ns/default/sa/outsider" ca 10
        leaf foreign URI:spiffe://other.test/ns/default/sa/foreign ca 10
        leaf rogue "URI:spiffe://$mesh/ns/default/sa/rogue" other 10
        leaf expired "URI:spiffe://$mesh/ns/default/sa/expired" ca -1
        leaf nameless DNS:outsider.example ca 10
        chmod a+r *.key
        """#

    // MARK: Its programs

    /// Runs one of Tests/EndToEndTests/Programs and reads its report.
    func program<Report: Decodable>(_ type: Report.Type, _ arguments: String, within limit: Duration) async throws
        -> Report
    {
        let path = "\(TestHost.repositoryPath)/Tests/EndToEndTests/Programs"
        let output = try await host.run("bash", "-c", "/usr/bin/python3 \(path)/\(arguments)", timeout: limit)
        return try JSONDecoder().decode(type, from: Data(output.standardOutput.utf8))
    }

    /// Starts Envoy as an originating peer: what connects to 127.0.0.1:`port` comes out at `authority`.
    func startEnvoy(port: Int, authority: String, as name: String = "outsider") async throws {
        let values = [
            "PORT": "\(port)", "NAME": name, "AUTHORITY": authority, "NODE_ADDRESS": member.address4,
            "NODE_PORT": "15008", "SERVER_NAME": "", "PEER": "spiffe://\(mesh)/ns/weft/sa/\(member.name)",
        ]
        try await host.startEnvoy("envoy-\(port)", .originating, port: port, values)
    }
}

/// Which end of a tunnel an Envoy is: a file of Tests/Support/envoy.
enum EnvoyKind: String {
    case originating, terminating
}

extension TestHost {
    /// Starts Envoy as a unit with a configuration of Tests/Support/envoy, and the certificates of `Outsider.issue`.
    ///
    /// - Parameter loops: its threads; nil is its default, one for each core.
    func startEnvoy(
        _ unit: String,
        _ kind: EnvoyKind,
        port: Int,
        loops: Int? = 1,
        _ values: [String: String]
    ) async throws {
        var text = try await read("\(Self.repositoryPath)/Tests/Support/envoy/\(kind.rawValue).yaml")
        let values = values.merging(["PORT": "\(port)", "PKI": Outsider.pki]) { first, _ in first }
        for (key, value) in values { text = text.replacing("${\(key)}", with: value) }
        try await write(text, to: "/etc/\(unit).yaml")
        let options = "--use-dynamic-base-id" + (loops.map { " --concurrency \($0)" } ?? "")
        try await start(
            .init("\(unit).service", "\(Self.envoyPath) -c /etc/\(unit).yaml \(options)"),
            listeningOn: port
        )
    }
}

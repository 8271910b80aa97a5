import WeftCore
import WeftTestRig

@testable import WeftTransport

/// An Envoy on loopback, from a file of Tests/Support/envoy. It ends with its test, however that ends.
final class Envoy: Sendable {
    /// Where its one listener is.
    let address: NetworkAddress
    private let admin: NetworkAddress
    private let kept: KeptProcess

    private init(address: NetworkAddress, admin: NetworkAddress, kept: KeptProcess) {
        self.address = address
        self.admin = admin
        self.kept = kept
    }

    /// Runs `body` with an Envoy that takes tunnels as `name`, with the tests' certificates.
    static func terminating(
        as name: String = "server",
        _ values: [String: String] = [:],
        _ body: (Envoy) async throws -> Void
    ) async throws {
        var all = [
            "ADDRESS": "127.0.0.1", "NAME": name, "MESH": "mesh.test", "STREAMS": "100", "PING_INTERVAL": "10s",
            "PING_TIMEOUT": "20s",
        ]
        all.merge(values) { $1 }
        try await with("terminating", all, body)
    }

    /// Runs `body` with an Envoy that takes TCP and opens tunnels to a node, as `name`.
    static func originating(
        as name: String = "client",
        to node: NetworkAddress,
        authority: NetworkAddress,
        _ values: [String: String] = [:],
        _ body: (Envoy) async throws -> Void
    ) async throws {
        var all = [
            "NAME": name, "AUTHORITY": "\(authority)", "NODE_ADDRESS": "\(node.ip)", "NODE_PORT": "\(node.port)",
            "SERVER_NAME": "", "PEER": TunnelPKI.identity("server").description,
        ]
        all.merge(values) { $1 }
        try await with("originating", all, body)
    }

    private static func with(
        _ kind: String,
        _ values: [String: String],
        _ body: (Envoy) async throws -> Void
    ) async throws {
        let template = try Machine.readText("\(Machine.repository)/Tests/Support/envoy/\(kind).yaml")
        let all = values.merging(["PORT": "0", "PKI": try TunnelPKI.shared.get().directory]) { first, _ in first }
        let configuration = all.reduce(template) { $0.replacing("${\($1.key)}", with: $1.value) }
        let program = try await Machine.peerPrograms() + "/envoy/_bin/envoy"
        let kept = try KeptProcess(["bash", "-c", keeper, "keeper", program, configuration])
        do {
            let envoy = try await started(kept)
            try await body(envoy)
        } catch {
            try? await kept.end()  // The first error is the one to tell.
            throw error
        }
        try await kept.end()
    }

    private static func started(_ kept: KeptProcess) async throws -> Envoy {
        var printed = ""
        let admin = try await waitFor("Envoy runs: \(printed)", within: .seconds(20)) {
            printed += kept.printed()
            if kept.hasEnded { throw TestError("Envoy did not start: \(printed)\(kept.printed())") }
            return try port(in: printed, after: #/admin [0-9.]+:([0-9]+)\n/#)
        }
        let listener = try await waitFor("Envoy listens", within: .seconds(20)) {
            guard try ask("GET", "/ready", of: admin).contains("LIVE") else { return nil as NetworkAddress? }
            return try port(in: ask("GET", "/listeners?format=json", of: admin), after: #/"port_value": ?([0-9]+)/#)
        }
        return Envoy(address: listener, admin: admin, kept: kept)
    }

    private static func port(in text: String, after pattern: Regex<(Substring, Substring)>) throws -> NetworkAddress? {
        guard let number = try pattern.firstMatch(in: text)?.1 else { return nil }
        return UInt16(number).map { NetworkAddress(.loopbackV4, port: $0) }
    }

    /// Asks its admin interface to do something, or for something.
    @discardableResult
    func ask(_ method: String, _ path: String) throws -> String { try Self.ask(method, path, of: admin) }

    private static func ask(_ method: String, _ path: String, of admin: NetworkAddress) throws -> String {
        let socket = try TestSocket.connected(to: admin)
        let request = "\(method) \(path) HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        try socket.write(Array(request.utf8))
        return String(decoding: socket.readAll().bytes, as: UTF8.self)
    }

    /// One of its counters and gauges.
    func statistic(_ name: String) throws -> Int? {
        let lines = try ask("GET", "/stats?filter=\(name)").split(whereSeparator: \.isNewline)
        return lines.first { $0.hasPrefix("\(name): ") }.flatMap { Int($0.dropFirst(name.count + 2)) }
    }

    /// Stops it where it is, or lets it go on, or kills it.
    func signal(_ name: String) throws { try kept.order(name) }

    /// Arguments: the program, the configuration. Prints where the admin interface is; reads names of signals.
    private static let keeper = #"""
        directory=$(mktemp -d /tmp/weft-envoy-XXXXXX)
        printf '%s' "$2" >"$directory/envoy.yaml"
        "$1" -c "$directory/envoy.yaml" --use-dynamic-base-id --concurrency 1 --drain-time-s 5 \
            --admin-address-path "$directory/admin" >"$directory/log" 2>&1 </dev/null &
        envoy=$!
        trap '' PIPE
        trap 'kill -KILL $envoy; wait; rm -rf "$directory"' EXIT
        until [ -s "$directory/admin" ]; do
            if ! kill -0 $envoy; then tail -n 5 "$directory/log"; exit 1; fi
            sleep 0.02
        done
        printf 'admin %s\n' "$(cat "$directory/admin")"
        while read -r signal; do kill "-$signal" $envoy; done
        """#
}

import Glibc
import Testing
import WeftCatalog
import WeftCore
import WeftProxy
import WeftTransport

/// Requests of real clients to real servers on loopback, through a data plane that knows both as a service of the mesh.
extension CarryTests {
    /// Waits for decisions about requests; newest first.
    func requests(_ plane: DataPlane) async throws -> [Decision] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let requests = try await plane.decisions(last: 100).filter { $0.request != nil }
            if !requests.isEmpty { return requests }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestError("no decision about a request after 10 s")
    }
}

extension MeshSnapshot {
    /// With services of other hosts.
    static func peers(_ endpoints: [Endpoint]) -> MeshSnapshot {
        var builder = MeshBuilder()
        var change = CatalogueChange()
        change.added = endpoints
        builder.apply(change)
        return builder.build().snapshot
    }
}

extension LocalService {
    static func api(at address: NetworkAddress, declaring hint: String? = nil) throws -> LocalService {
        LocalService(
            name: try #require(ServiceName("api")),
            unit: "api.service",
            tenant: .system,
            uid: UserID(0),
            port: address.port,
            addresses: [address.ip],
            isExposed: true,
            labels: [:],
            protocolHint: hint
        )
    }
}

extension Endpoint {
    static func api(_ address: NetworkAddress, on host: String) throws -> Endpoint {
        let (service, node) = (try #require(ServiceName("api")), try #require(NodeName(host)))
        return try #require(Endpoint(service: service, node: node, port: address.port, addresses: [address.ip]))
    }
}

extension String {
    static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nhost: api\r\n\r\n" }

    static func post(_ path: String, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nhost: api\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func ok(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The lines of a head.
    var components: [String] {
        unicodeScalars.split(separator: "\n").map { String(String.UnicodeScalarView($0.filter { $0 != "\r" })) }
            .filter { !$0.isEmpty }
    }
}

extension TestSocket {
    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func readText(_ count: Int) -> String { String(decoding: read(count: count), as: UTF8.self) }

    /// Bytes up to an empty line.
    func readHead() -> String {
        var all: [UInt8] = []
        while !all.suffix(4).elementsEqual("\r\n\r\n".utf8), case .bytes(let bytes) = read(max: 1) { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// The first connection to any of them, and to which.
    static func acceptAny(_ listeners: [TestSocket]) throws -> (Int, TestSocket) {
        var polls = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), 10_000) > 0, let index = polls.firstIndex(where: { $0.revents != 0 })
        else { throw TestError("nobody connected") }
        return (index, try listeners[index].accept())
    }
}

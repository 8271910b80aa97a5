import Testing
import WeftCore

@testable import WeftCatalog

func node(_ text: String) throws -> NodeName { try #require(NodeName(text)) }

func name(_ text: String) throws -> ServiceName { try #require(ServiceName(text)) }

func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

func key(_ service: String, _ port: UInt16 = 80) throws -> ServiceRecord.Key {
    ServiceRecord.Key(service: try name(service), port: port)
}

func record(
    _ service: String,
    _ port: UInt16 = 80,
    addresses: [String] = [],
    labels: [String: String] = [:],
    healthy: Bool = true
) throws -> ServiceRecord {
    ServiceRecord(
        key: try key(service, port),
        addresses: try addresses.map(ip),
        labels: labels,
        isHealthy: healthy
    )
}

internal import WeftAPI

/// The services of the mesh by name, then port.
func servicesTable(_ rows: [ServiceRow], _ session: Session) -> String {
    guard !rows.isEmpty else {
        return emptyList(
            "No services in the mesh. A service is a systemd unit that listens on a TCP port that other hosts can reach.",
            next: "weft workloads",
            session
        )
    }
    let sorted = rows.sorted { ($0.name, $0.port, $0.unit ?? "") < ($1.name, $1.port, $1.unit ?? "") }
    let columns: [Table.Column] = [
        .text("NAME"), .number("PORT"), .text("UNIT", isOptional: true), .text("TENANT"), .word("EXPOSED"),
        .text("PROTOCOL", isOptional: true), .number("ENDPOINTS") { healthTint(sorted[$0].endpoints) },
        .text("VIRTUAL", isOptional: true), .text("LABELS", isOptional: true),
    ]
    return Table(
        columns,
        rows: sorted.map { row in
            [
                row.name, "\(row.port)", row.unit, row.tenant, row.exposed ? "yes" : "no", row.protocol,
                healthText(row.endpoints), list(row.virtualAddresses), list(row.labels),
            ]
        }
    ).rendered(session.style)
}

/// Where the services answer, by service, then host. The services are named where there is more than one to tell apart.
func endpointsTable(_ services: [ServiceRow], _ session: Session) -> String {
    let isNamed = Set(services.map(\.name)).count > 1
    let sorted = services.flatMap { service in service.endpoints.map { (service: service.name, endpoint: $0) } }
        .sorted {
            ($0.service, $0.endpoint.node, $0.endpoint.address, $0.endpoint.port)
                < ($1.service, $1.endpoint.node, $1.endpoint.address, $1.endpoint.port)
        }
    guard !sorted.isEmpty else {
        return advice("No endpoints: no host exposes this.", next: "weft peers", session.style)
    }
    let columns: [Table.Column] = [
        .text("SERVICE", isOptional: true), .text("NODE"), .text("ADDRESS"), .number("PORT"),
        .word("HEALTHY") { sorted[$0].endpoint.healthy ? .good : .failed }, .text("LABELS", isOptional: true),
    ]
    return Table(
        columns,
        rows: sorted.map { service, endpoint in
            [
                isNamed ? service : nil, endpoint.node, endpoint.address, "\(endpoint.port)",
                endpoint.healthy ? "yes" : endpoint.speaker.map { "no (\($0))" } ?? "no", list(endpoint.labels),
            ]
        }
    ).rendered(session.style)
}

/// Healthy endpoints of all, as `3/4`; nothing where there are none.
private func healthText(_ endpoints: [EndpointRow]) -> String? {
    endpoints.isEmpty ? nil : "\(endpoints.count(where: \.healthy))/\(endpoints.count)"
}

private func healthTint(_ endpoints: [EndpointRow]) -> Tint? {
    switch endpoints.count(where: \.healthy) {
    case endpoints.count: nil
    case 0: .failed
    default: .warning
    }
}

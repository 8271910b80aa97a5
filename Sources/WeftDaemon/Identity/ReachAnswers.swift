internal import WeftAPI
internal import WeftCore

/// The ports of a host that a mesh needs.
struct ReachTarget: Sendable, Equatable {
    let address: IPAddress
    let tunnelPort: UInt16
    let gossipPort: UInt16
}

/// Which of them can be used from somewhere; nil for what was not tried.
struct ReachAnswers: Sendable, Equatable {
    var tunnel: Bool?
    var gossipStream: Bool?
    var gossipDatagram: Bool?
}

/// How one host asks another to try its ports.
///
/// ```
/// "weft reach 1\n"   | tunnel port, 2 | gossip port, 2
/// "weft reached 1\n" | tunnel, gossip over TCP, gossip over UDP: 0 closed, 1 open, 2 not tried
/// ```
enum ReachMessage {
    private static let question = Array("weft reach 1\n".utf8)
    private static let answer = Array("weft reached 1\n".utf8)

    static func question(tunnelPort: UInt16, gossipPort: UInt16) -> [UInt8] {
        question + [tunnelPort, gossipPort].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }

    /// Nil for anything else, and for port 0.
    static func ports(in bytes: [UInt8]) -> (tunnel: UInt16, gossip: UInt16)? {
        guard bytes.starts(with: question), bytes.count == question.count + 4 else { return nil }
        let numbers = bytes.suffix(4).map(UInt16.init)
        let ports = (numbers[0] << 8 | numbers[1], numbers[2] << 8 | numbers[3])
        return ports.0 > 0 && ports.1 > 0 ? ports : nil
    }

    static func answer(_ answers: ReachAnswers) -> [UInt8] {
        answer + [answers.tunnel, answers.gossipStream, answers.gossipDatagram].map { $0.map { $0 ? 1 : 0 } ?? 2 }
    }

    /// Nil for anything else.
    static func answers(in bytes: [UInt8]) -> ReachAnswers? {
        guard bytes.starts(with: answer), bytes.count == answer.count + 3 else { return nil }
        let values = bytes.suffix(3).map { byte -> Bool? in byte > 1 ? nil : byte == 1 }
        return ReachAnswers(tunnel: values[0], gossipStream: values[1], gossipDatagram: values[2])
    }
}

extension ReachAnswers {
    /// What people see: one row for each port that was tried, with the firewall line for those that are closed.
    ///
    /// - Parameters:
    ///   - from: the host that tried, and its address, which its firewall rule names.
    ///   - to: the host whose ports these are.
    func rows(from: (name: String, address: IPAddress), to: String, target: ReachTarget) -> [ReachRow] {
        func row(_ transport: String, _ port: UInt16, _ isOpen: Bool?) -> ReachRow? {
            guard let isOpen else { return nil }
            return ReachRow(
                from: from.name,
                to: to,
                transport: transport,
                port: port,
                isOpen: isOpen,
                next: isOpen ? nil : Self.remedy(transport, port, from: from.address, on: to)
            )
        }
        return [
            row("tcp", target.tunnelPort, tunnel), row("tcp", target.gossipPort, gossipStream),
            row("udp", target.gossipPort, gossipDatagram),
        ].compactMap { $0 }
    }

    private static func remedy(_ transport: String, _ port: UInt16, from source: IPAddress, on host: String) -> String {
        let family = source.family == .v4 ? "ip" : "ip6"
        return
            "open \(transport.uppercased()) \(port) from \(source) on \(host), e.g. sudo nft insert rule inet filter "
            + "input \(family) saddr \(source) \(transport) dport \(port) accept"
    }
}

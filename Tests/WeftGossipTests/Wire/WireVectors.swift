import FoundationEssentials
import Testing

/// The golden vectors: real datagrams and streams of stock agents, with what they mean (serf-protocol.md section 14).
struct WireVectors: Decodable, Sendable {
    /// One datagram.
    struct Datagram: Decodable, Sendable, CustomTestStringConvertible {
        let id: String
        let pool: String
        let hex: String
        let keyHex: String?
        let label: String?
        /// Built by a test peer rather than captured.
        let origin: String?
        let decoded: WireJSON

        var bytes: [UInt8] { [UInt8](hex: hex) }
        var testDescription: String { id }
    }

    /// One exchange over TCP, both directions complete.
    struct Exchange: Decodable, Sendable {
        let id: String
        let pool: String
        let clientToServerHex: String
        let serverToClientHex: String
        let clientDecoded: WireJSON
        let serverDecoded: WireJSON
        let keysHex: [String]?
        let label: String?
    }

    /// One direction of an exchange, with what is needed to read it.
    struct Stream: Sendable, CustomTestStringConvertible {
        let id: String
        let pool: String
        let bytes: [UInt8]
        let isFromDialler: Bool
        let decoded: WireJSON
        let keys: [[UInt8]]
        let label: [UInt8]

        var testDescription: String { "\(id), \(isFromDialler ? "dialler" : "acceptor")" }
    }

    struct MessagePack: Decodable, Sendable {
        struct Integer: Decodable, Sendable {
            let uint: UInt64?
            let int: Int64?
            let old: String
            let new: String

            enum CodingKeys: String, CodingKey {
                case uint, int
                case old = "go-msgpack0.5"
                case new = "go-msgpack2"
            }
        }

        struct StringHeader: Decodable, Sendable {
            let length: Int
            let bytes: String

            enum CodingKeys: String, CodingKey {
                case length = "len"
                case bytes = "bytes-0.5"
            }
        }

        let integers: [Integer]
        let stringHeaders: [StringHeader]
    }

    struct LZW: Decodable, Sendable {
        struct Case: Decodable, Sendable, CustomTestStringConvertible {
            let input: String
            let n: Int?
            let textHex: String?
            let `repeat`: Int?
            let outHex: String

            var testDescription: String { input }
        }

        let cases: [Case]
    }

    let udp: [Datagram]
    let tcp: [Exchange]
    let msgpack: MessagePack
    let lzw: LZW

    /// Both directions of every exchange, empty ones left out.
    var streams: [Stream] {
        tcp.flatMap { exchange in
            let keys = (exchange.keysHex ?? []).map { [UInt8](hex: $0) }
            let label = Array((exchange.label ?? "").utf8)
            func stream(_ hex: String, _ isFromDialler: Bool, _ decoded: WireJSON) -> Stream {
                Stream(
                    id: exchange.id,
                    pool: exchange.pool,
                    bytes: [UInt8](hex: hex),
                    isFromDialler: isFromDialler,
                    decoded: decoded,
                    keys: keys,
                    label: label
                )
            }
            return [
                stream(exchange.clientToServerHex, true, exchange.clientDecoded),
                stream(exchange.serverToClientHex, false, exchange.serverDecoded),
            ].filter { !$0.bytes.isEmpty }
        }
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static let all: WireVectors = {
        do {
            let data = try Data(contentsOf: folder.appending(path: "Fixtures/vectors.json"))
            return try JSONDecoder().decode(WireVectors.self, from: data)
        } catch {
            fatalError("Fixtures/vectors.json cannot be read: \(error)")
        }
    }()
}

/// Any JSON value, compared by value: an object's keys have no order.
enum WireJSON: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([WireJSON])
    case object([String: WireJSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([WireJSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: WireJSON].self))
        }
    }

    subscript(key: String) -> WireJSON? {
        guard case .object(let fields) = self else { return nil }
        return fields[key]
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var elements: [WireJSON] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// The object without some of its fields.
    func without(_ keys: String...) -> WireJSON {
        guard case .object(let fields) = self else { return self }
        return .object(fields.filter { !keys.contains($0.key) })
    }
}

extension [UInt8] {
    /// Two digits for each byte; anything else is a mistake in the test.
    init(hex: String) {
        let digits = hex.utf8.map { UInt8($0 > 0x60 ? $0 - 0x57 : $0 - 0x30) }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    var hex: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

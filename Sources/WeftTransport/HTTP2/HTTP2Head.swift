internal import NIOCore
internal import NIOHPACK
internal import WeftCore
internal import WeftProxy

/// What decisions need of a request's fields, which go on as they came.
struct HTTP2Head {
    var fields: HPACKHeaders
    let method: RequestMethod
    let kind: RequestSeries.Kind
    /// Method and path.
    let line: ByteBuffer

    init(_ fields: HPACKHeaders) {
        self.fields = fields
        let name = fields.first(name: ":method") ?? ""
        method = RequestMethod(name)
        kind = fields.first(name: "content-type").map(Self.isGRPC) == true ? .grpc : .http2
        // Decisions keep a part of it only.
        let target = fields.first(name: ":path") ?? fields.first(name: ":authority") ?? ""
        line = ByteBuffer(string: "\(name) \(target.prefix(RequestFacts.lineMax))")
    }

    /// What a field keeps the request together with others by.
    func key(of field: String) -> AffinityKey? { fields.first(name: field).map { AffinityKey($0.utf8) } }

    /// gRPC (grpc, doc/PROTOCOL-HTTP2.md): `application/grpc`, with or without a message format. gRPC-Web is another
    /// protocol: its status is in its body.
    static func isGRPC(_ contentType: String) -> Bool {
        let type = contentType.utf8
        guard type.starts(with: "application/grpc".utf8) else { return false }
        guard let next = type.dropFirst(16).first else { return true }
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }
}

extension RequestMethod {
    /// By its name; case matters.
    init(_ name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "DELETE": self = .delete
        case "CONNECT": self = .connect
        case "OPTIONS": self = .options
        case "TRACE": self = .trace
        case "PATCH": self = .patch
        default: self = .other
        }
    }
}

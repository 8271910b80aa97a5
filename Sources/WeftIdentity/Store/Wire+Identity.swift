internal import WeftCore

extension WireWriter {
    mutating func time(_ value: WallTime) { number(value.millisecondsSince1970) }

    mutating func certificates(_ list: [MeshCertificate]) { self.list(list) { $0.blob($1.der) } }

    mutating func allowed(_ value: AllowedServices?) {
        optional(value) { $0.list($1.entries) { $0.text($1.description) } }
    }
}

extension WireReader {
    mutating func time(_ what: String) throws(WireError) -> WallTime {
        WallTime(millisecondsSince1970: try number(what))
    }

    mutating func mesh() throws(WireError) -> MeshName {
        try made("mesh name") { reader throws(WireError) in MeshName(try reader.text("mesh name", maximum: 63)) }
    }

    mutating func node() throws(WireError) -> NodeName {
        try made("host name") { reader throws(WireError) in
            NodeName(try reader.text("host name", maximum: NodeName.bytesMax))
        }
    }

    mutating func fingerprint(_ what: String) throws(WireError) -> Fingerprint {
        try made(what) { reader throws(WireError) in
            Fingerprint(bytes: try reader.raw(Fingerprint.byteCount, what))
        }
    }

    mutating func certificate(_ what: String) throws(WireError) -> MeshCertificate {
        try made(what) { reader throws(WireError) in
            try? MeshCertificate(der: try reader.blob(what, maximum: MeshCertificate.bytesMax))
        }
    }

    mutating func certificates(_ what: String, maximum: Int) throws(WireError) -> [MeshCertificate] {
        try list(what, maximum: maximum) { reader throws(WireError) in try reader.certificate(what) }
    }

    mutating func allowed() throws(WireError) -> AllowedServices? {
        let what = "allowed services"
        return try optional(what) { reader throws(WireError) in
            try reader.made(what) { reader throws(WireError) in
                AllowedServices(
                    try reader.list(what, maximum: AllowedServices.entriesMax) { reader throws(WireError) in
                        try reader.made(what) { reader throws(WireError) in
                            AllowedServices.Entry(try reader.text(what, maximum: 127))
                        }
                    }
                )
            }
        }
    }
}

/// A JSON text taken apart just far enough to be laid out anew: indented, with sorted names, every number and string
/// byte for byte as it came.
///
/// Decoding into a type and encoding that again would lose the fields that a newer daemon adds, and change how numbers
/// are written. RFC 8259; texts nested deeper than `maximumDepth` are refused.
struct JSONText {
    enum Value {
        /// A number, a string with its quotes, or a literal.
        case scalar(ArraySlice<UInt8>)
        case array([Value])
        case object([Member])
    }

    struct Member {
        /// With its quotes and escapes.
        let name: ArraySlice<UInt8>
        let value: Value

        static func precedes(_ left: Member, _ right: Member) -> Bool {
            left.name.lexicographicallyPrecedes(right.name)
        }
    }

    enum Fault: Error, Equatable {
        /// The byte at this offset does not belong there.
        case unexpected(at: Int)
        /// The text ends in the middle of a value.
        case unfinished
        case tooDeep
    }

    static let maximumDepth = 64

    var root: Value

    private init(root: Value) { self.root = root }

    /// Reads one value with nothing but white space around it.
    init(_ bytes: [UInt8]) throws(Fault) {
        var reader = JSONReader(bytes)
        root = try reader.wholeText()
    }

    /// Keeps the elements of the array at the root for whose index `isIncluded` holds. Anything else stays as it is.
    mutating func filterElements(_ isIncluded: (Int) -> Bool) {
        guard case .array(let elements) = root else { return }
        root = .array(elements.indices.filter(isIncluded).map { elements[$0] })
    }

    /// The elements of the array that the object at the root has under this name (of letters and digits); none where
    /// there is no such array.
    func elements(of name: String) -> [JSONText] {
        let quoted = "\"\(name)\"".utf8
        guard case .object(let members) = root, let member = members.first(where: { $0.name.elementsEqual(quoted) }),
            case .array(let elements) = member.value
        else { return [] }
        return elements.map(JSONText.init(root:))
    }

    /// Everything in one line, with no spaces and with names sorted by their bytes; a line feed at the end.
    func renderedLine() -> String {
        var bytes: [UInt8] = []
        Self.writeLine(root, into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func writeLine(_ value: Value, into bytes: inout [UInt8]) {
        switch value {
        case .scalar(let text): bytes += text
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                writeLine(element, into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: Member.precedes).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += member.name
                bytes.append(UInt8(ascii: ":"))
                writeLine(member.value, into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Two spaces per level, names sorted by their bytes, a line feed at the end.
    func rendered() -> String {
        var bytes: [UInt8] = []
        Self.write(root, indent: 0, into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ value: Value, indent: Int, into bytes: inout [UInt8]) {
        switch value {
        case .scalar(let text): bytes += text
        case .array(let elements):
            writeList(elements, between: ("[", "]"), indent: indent, into: &bytes) { element, bytes in
                write(element, indent: indent + 1, into: &bytes)
            }
        case .object(let members):
            let sorted = members.sorted(by: Member.precedes)
            writeList(sorted, between: ("{", "}"), indent: indent, into: &bytes) { member, bytes in
                bytes += member.name
                bytes += ": ".utf8
                write(member.value, indent: indent + 1, into: &bytes)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element],
        between brackets: (String, String),
        indent: Int,
        into bytes: inout [UInt8],
        writeElement: (Element, inout [UInt8]) -> Void
    ) {
        bytes += brackets.0.utf8
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            startLine(indent: indent + 1, into: &bytes)
            writeElement(element, &bytes)
        }
        if !elements.isEmpty { startLine(indent: indent, into: &bytes) }
        bytes += brackets.1.utf8
    }

    private static func startLine(indent: Int, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: " "), count: indent * 2)
    }
}

/// Reads a JSON text from its first byte to its last.
private struct JSONReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func wholeText() throws(JSONText.Fault) -> JSONText.Value {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw .unexpected(at: offset) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONText.Fault) -> JSONText.Value {
        guard depth < JSONText.maximumDepth else { throw .tooDeep }
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"):
            var members: [JSONText.Member] = []
            try list(closedBy: UInt8(ascii: "}")) { (reader) throws(JSONText.Fault) in
                reader.skipSpace()
                let name = try reader.string()
                reader.skipSpace()
                try reader.take(UInt8(ascii: ":"))
                members.append(JSONText.Member(name: name, value: try reader.value(depth: depth + 1)))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONText.Value] = []
            try list(closedBy: UInt8(ascii: "]")) { (reader) throws(JSONText.Fault) in
                elements.append(try reader.value(depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "\""): return .scalar(try string())
        default: return .scalar(try word())
        }
    }

    /// A bracket, elements with commas between them, the closing bracket.
    private mutating func list(
        closedBy closing: UInt8,
        readElement: (inout JSONReader) throws(JSONText.Fault) -> Void
    ) throws(JSONText.Fault) {
        offset += 1
        skipSpace()
        if try peek() == closing {
            offset += 1
            return
        }
        while true {
            try readElement(&self)
            skipSpace()
            if try peek() == closing {
                offset += 1
                return
            }
            try take(UInt8(ascii: ","))
        }
    }

    private mutating func string() throws(JSONText.Fault) -> ArraySlice<UInt8> {
        let start = offset
        try take(UInt8(ascii: "\""))
        while true {
            switch try peek() {
            case UInt8(ascii: "\""):
                offset += 1
                return bytes[start..<offset]
            case UInt8(ascii: "\\"): offset += 2
            case 0..<0x20: throw .unexpected(at: offset)
            default: offset += 1
            }
        }
    }

    /// A number or a literal.
    private mutating func word() throws(JSONText.Fault) -> ArraySlice<UInt8> {
        let start = offset
        for literal in ["true", "false", "null"] where bytes[start...].starts(with: literal.utf8) {
            offset += literal.utf8.count
            return bytes[start..<offset]
        }
        let number = bytes[start...].prefix { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        guard Double(String(decoding: number, as: UTF8.self)) != nil else { throw .unexpected(at: start) }
        offset += number.count
        return number
    }

    private func peek() throws(JSONText.Fault) -> UInt8 {
        guard offset < bytes.count else { throw .unfinished }
        return bytes[offset]
    }

    private mutating func take(_ byte: UInt8) throws(JSONText.Fault) {
        guard try peek() == byte else { throw .unexpected(at: offset) }
        offset += 1
    }

    private mutating func skipSpace() {
        while offset < bytes.count, isSpace(bytes[offset]) { offset += 1 }
    }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

internal import WeftCore

/// The table as it is kept in /var/lib/weft: a title line, then one line for each name, sorted.
///
/// ```
/// weft virtual addresses 1
/// api 240.17.3.9 fd77:6566:7400:5f2c::1
/// ```
extension VirtualAddresses {
    /// A file longer than this is not ours: the longest line has 122 bytes.
    package static let textBytesMax = 8 << 20

    private static let title = "weft virtual addresses 1"
    private static let lineBytesMax = 128

    package var text: String {
        let lines = addresses.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.v4) \($0.value.v6)\n" }
        return Self.title + "\n" + lines.joined()
    }

    /// Reads what `text` wrote. Throws at the first line that `text` could not have written: a table that was damaged
    /// or edited is better built anew from hashes than believed in part.
    package init(text: String) throws(VirtualAddressesError) {
        guard text.utf8.count <= Self.textBytesMax else {
            throw VirtualAddressesError(line: 0, reason: .tooLong(bytes: text.utf8.count))
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first.map(String.init) == Self.title else { throw VirtualAddressesError(line: 1, reason: .title) }
        // A whole file ends with a line break, and so the last piece is empty; a file cut short has none.
        guard lines.popLast() == "" else { throw VirtualAddressesError(line: lines.count + 1, reason: .unfinished) }
        guard lines.count - 1 <= Self.namesMax else {
            throw VirtualAddressesError(line: Self.namesMax + 2, reason: .tooMany)
        }
        self.init()
        for (index, line) in lines.enumerated().dropFirst() {
            guard let (name, address) = Self.entry(line) else {
                throw VirtualAddressesError(line: index + 1, reason: .malformed)
            }
            guard take(address, for: name) else { throw VirtualAddressesError(line: index + 1, reason: .duplicate) }
        }
    }

    private static func entry(_ line: Substring) -> (ServiceName, VirtualAddress)? {
        guard line.utf8.count <= lineBytesMax else { return nil }
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 3, let name = ServiceName(String(fields[0])),
            let v4 = IPAddress(String(fields[1])), v4.family == .v4, isAllocatable(v4),
            let v6 = IPAddress(String(fields[2])), v6.family == .v6, isAllocatable(v6)
        else { return nil }
        return (name, VirtualAddress(v4: v4, v6: v6))
    }
}

/// Why a text is no table of virtual addresses.
package struct VirtualAddressesError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case tooLong(bytes: Int)
        case title
        case unfinished
        case tooMany
        case malformed
        case duplicate
    }

    /// 1-based; 0 for the text as a whole.
    package let line: Int
    package let reason: Reason

    package init(line: Int, reason: Reason) {
        self.line = line
        self.reason = reason
    }

    package var description: String {
        let problem =
            switch reason {
            case .tooLong(let bytes): "\(bytes) bytes, more than the \(VirtualAddresses.textBytesMax) allowed"
            case .title: "the title line is missing or of another version"
            case .unfinished: "the last line is cut short"
            case .tooMany: "more than \(VirtualAddresses.namesMax) names"
            case .malformed: "not of the form NAME IPV4 IPV6 with virtual addresses"
            case .duplicate: "a name or an address that an earlier line has"
            }
        return "virtual addresses, line \(line): \(problem); remove the file to have it built anew"
    }
}

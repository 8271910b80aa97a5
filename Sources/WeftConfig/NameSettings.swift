internal import WeftCore

extension Setting where Value == UserReference {
    /// A user id as a number, or a user name as text. Whether the user exists is for the daemon to find out.
    static var user: Setting {
        Setting { node throws(Mistake) in
            switch node.content {
            case .integer(let number):
                // 2^32 - 1 is the kernel's "no user".
                guard let id = UInt32(exactly: number), id < UInt32.max else {
                    throw Mistake(
                        reason: "\(number) is no user id",
                        remedy: "write a number from 0 to \(UInt32.max - 1), or a user name"
                    )
                }
                return .id(UserID(id))
            case .text(let name):
                try checkUserName(name)
                return .name(name)
            default:
                throw .kind(of: node, needed: "a user", remedy: "write a user name, such as \"postgres\", or a user id")
            }
        }
    }
}

/// The relaxed rules of systemd for user names: LDAP and Active Directory bring `user@domain` and the like.
private func checkUserName(_ name: String) throws(Mistake) {
    let remedy = "write a user name, such as \"postgres\", or a user id"
    guard !name.isEmpty else { throw Mistake(reason: "\"\" is no user name", remedy: remedy) }
    guard !name.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
        throw Mistake(reason: "\(quoted(name)) is a user id in quotes", remedy: "write the number without quotes")
    }
    let isPlausible =
        name.utf8.count <= 255 && !name.hasPrefix("-") && name != "." && name != ".."
        && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != ":" && $0 != "/" && $0 != "," }
    guard isPlausible else { throw Mistake(reason: "\(quoted(name)) cannot be a user name", remedy: remedy) }
}

extension Setting where Value == String {
    /// The name of a systemd unit that runs processes.
    static var unit: Setting {
        .text("write a unit's name, such as \"backup.service\"") { name throws(Mistake) in try checkUnitName(name) }
    }

    /// What this host calls itself in the mesh: a single DNS label.
    static var nodeName: Setting {
        let remedy = "write 1 to 63 letters, digits and hyphens, with no hyphen at either end, such as \"db-1\""
        return .text(remedy) { name throws(Mistake) in
            let isLabel =
                (1...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
                && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            guard isLabel else { throw Mistake(reason: "\(quoted(name)) cannot be a node's name", remedy: remedy) }
        }
    }
}

/// Kinds of units that have processes; all the others systemd knows have none that dial.
private let unitSuffixes = [".service", ".scope"]
private let otherUnitSuffixes = [
    ".slice", ".socket", ".target", ".timer", ".mount", ".automount", ".path", ".swap", ".device",
]

private func checkUnitName(_ name: String) throws(Mistake) {
    guard !name.isEmpty else {
        throw Mistake(
            reason: "\"\" is no unit",
            remedy: "write a unit's name, such as \"backup.service\", or remove the entry"
        )
    }
    if let suffix = otherUnitSuffixes.first(where: name.hasSuffix) {
        throw Mistake(
            reason: "\(quoted(name)) is a \(suffix.dropFirst()), and only services and scopes have connections",
            remedy: "name the units themselves, such as \"backup.service\""
        )
    }
    let allowed = Array(":-_.\\@".utf8)
    guard name.utf8.count <= 255, name.utf8.allSatisfy({ isAlphanumeric($0) || allowed.contains($0) }) else {
        throw Mistake(
            reason: "\(quoted(name)) cannot be a unit's name",
            remedy:
                "write a full name such as \"backup.service\"; patterns and paths are not understood"
        )
    }
    guard let suffix = unitSuffixes.first(where: name.hasSuffix), name.utf8.count > suffix.utf8.count else {
        throw Mistake(reason: "\(quoted(name)) has no unit suffix", remedy: "write \"\(shortened(name)).service\"")
    }
    if name.hasSuffix("@\(suffix)") {
        throw Mistake(
            reason: "\(quoted(name)) is a template, which never runs by itself",
            remedy: "name its instances, such as \"\(shortened(String(name.dropLast(suffix.count))))main\(suffix)\""
        )
    }
    if name == "weftd.service" {
        throw Mistake(reason: "weft's own connections are never captured", remedy: "remove the entry")
    }
}

/// Names that no service can have: SSH and weft itself are never services.
let reservedServiceNames = ["ssh", "sshd", "weft", "weftd"]

extension Setting where Value == ServiceName {
    static var serviceName: Setting {
        Setting { node throws(Mistake) in
            let remedy = "write a service's name, such as \"api\""
            guard case .text(let text) = node.content else { throw .kind(of: node, needed: "a name", remedy: remedy) }
            return try readServiceName(text)
        }
    }
}

/// Reads the name of a service, as a value or as the `NAME` of `[service.NAME]`.
func readServiceName(_ text: String) throws(Mistake) -> ServiceName {
    guard let name = ServiceName(text) else {
        let lowered = text.lowercased()
        let remedy =
            ServiceName(lowered) != nil
            ? "write \"\(lowered)\""
            : "write 1 to 63 lower-case letters, digits, hyphens, underscores and dots, a letter or digit first"
        throw Mistake(reason: "\(quoted(text)) cannot be a service's name", remedy: remedy)
    }
    if text.hasSuffix(".service"), text.utf8.count > ".service".utf8.count {
        throw Mistake(
            reason: "\(quoted(text)) is a unit's name; services are named without the suffix",
            remedy: "write \"\(text.dropLast(".service".count))\""
        )
    }
    guard !reservedServiceNames.contains(text) else {
        throw Mistake(
            reason: "\(quoted(text)) is never a service: weft does not capture SSH or itself",
            remedy: "use the name of another service, or remove this"
        )
    }
    return name
}

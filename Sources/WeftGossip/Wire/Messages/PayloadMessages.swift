/// Type 6, payload of an answer to `_serf_conflict`: what the answering member knows about a name.
package struct ConflictResponse: Equatable, Sendable {
    package var name: MemberName
    package var address: MemberAddress
    package var tags: Tags
    /// Serf's status: 0 none, 1 alive, 2 leaving, 3 left, 4 failed.
    package var status: UInt8
    package var versions: ProtocolVersions

    package init(name: MemberName, address: MemberAddress, tags: Tags, status: UInt8, versions: ProtocolVersions) {
        self.name = name
        self.address = address
        self.tags = tags
        self.status = status
        self.versions = versions
    }
}

/// Type 7, payload of the queries `_serf_install-key`, `_serf_use-key`, `_serf_remove-key` and `_serf_list-keys`.
package struct KeyRequest: Equatable, Sendable {
    /// The raw key, not its base64 form; empty in list-keys. Not checked: the answer has to name what is wrong with it.
    package var key: [UInt8]

    package init(key: [UInt8]) { self.key = key }
}

extension KeyRequest: CustomStringConvertible, CustomReflectable {
    /// Never the key.
    package var description: String { "KeyRequest(\(key.count) bytes, redacted)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Type 8, payload of the answers to them.
package struct KeyResponse: Equatable, Sendable {
    package var succeeded: Bool
    /// Why it failed, or a remark; may be empty.
    package var message: String
    /// Base64 text of all keys; only list-keys fills it.
    package var keys: [String]
    /// Base64 text of the key that is used for sending; empty unless asked for.
    package var primaryKey: String

    package init(succeeded: Bool, message: String = "", keys: [String] = [], primaryKey: String = "") {
        self.succeeded = succeeded
        self.message = message
        self.keys = keys
        self.primaryKey = primaryKey
    }
}

extension KeyResponse: CustomStringConvertible, CustomReflectable {
    /// Never the keys.
    package var description: String {
        "KeyResponse(succeeded: \(succeeded), message: \(message), \(keys.count) keys, redacted)"
    }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A network coordinate, payload of an ack to a direct ping. Any numbers: whoever uses it checks for NaN and range.
package struct CoordinatePayload: Equatable, Sendable {
    /// All in seconds, except `error`, which has no unit.
    package var vector: [Double]
    package var error: Double
    package var adjustment: Double
    package var height: Double

    package init(vector: [Double], error: Double, adjustment: Double, height: Double) {
        self.vector = vector
        self.error = error
        self.adjustment = adjustment
        self.height = height
    }
}

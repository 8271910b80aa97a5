/// A secret that shows nothing of itself in descriptions, dumps and mirrors.
///
/// It keeps keys and join secrets out of logs by construction: whatever prints the value that holds one, prints this.
struct Hidden<Value: Sendable>: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

extension Hidden: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "<secret>" }

    var debugDescription: String { "<secret>" }

    var customMirror: Mirror { Mirror(self, children: []) }
}

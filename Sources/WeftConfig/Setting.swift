internal import WeftCore

/// What one setting accepts, and how a value of the file becomes a value of `Configuration`.
struct Setting<Value>: Sendable {
    let parse: @Sendable (SettingNode) throws(Mistake) -> Value
}

/// What is wrong with one value and what to write instead; with the value's place it becomes a `Diagnostic`.
struct Mistake: Error, Equatable {
    let reason: String
    let remedy: String
}

extension Mistake {
    /// A value of the wrong kind.
    static func kind(of node: SettingNode, needed: String, remedy: String) -> Mistake {
        Mistake(reason: "\(node.shown) is \(node.kind), and \(needed) is needed", remedy: remedy)
    }
}

extension Setting where Value == Bool {
    static var boolean: Setting {
        Setting { node throws(Mistake) in
            guard case .boolean(let value) = node.content else {
                throw .kind(of: node, needed: "a boolean", remedy: "write true or false, without quotes")
            }
            return value
        }
    }
}

extension Setting where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Setting {
        Setting { node throws(Mistake) in
            let remedy = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
            guard case .integer(let number) = node.content else {
                throw .kind(of: node, needed: "a whole number", remedy: remedy)
            }
            guard range.contains(number) else {
                throw Mistake(
                    reason: "\(number) is \(number < range.lowerBound ? "too small" : "too large")",
                    remedy: remedy
                )
            }
            return number
        }
    }
}

extension Setting where Value == Int? {
    /// A number, or `"auto"` for nil.
    static func integerOrAuto(_ range: ClosedRange<Int>) -> Setting {
        let integer = Setting<Int>.integer(range)
        return Setting { node throws(Mistake) in
            if case .text("auto") = node.content { return nil }
            do throws(Mistake) {
                return try integer.parse(node)
            } catch {
                throw Mistake(reason: error.reason, remedy: "\(error.remedy), or \"auto\"")
            }
        }
    }
}

extension Setting where Value == String {
    static func text(_ remedy: String) -> Setting {
        Setting { node throws(Mistake) in
            guard case .text(let text) = node.content else { throw .kind(of: node, needed: "a text", remedy: remedy) }
            return text
        }
    }

    /// A text that `check` has nothing against.
    static func text(_ remedy: String, check: @escaping @Sendable (String) throws(Mistake) -> Void) -> Setting {
        let text = Setting.text(remedy)
        return Setting { node throws(Mistake) in
            let value = try text.parse(node)
            try check(value)
            return value
        }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of a few words.
    static var choice: Setting {
        Setting { node throws(Mistake) in
            let words = Value.allCases.map(\.rawValue)
            let remedy = "write \(alternatives(words.map { "\"\($0)\"" }))"
            guard case .text(let text) = node.content else { throw .kind(of: node, needed: "a word", remedy: remedy) }
            guard let value = Value(rawValue: text) else {
                let nearest = nearestWord(to: text, among: words).map { "write \"\($0)\"" }
                throw Mistake(reason: "\(quoted(text)) is not among the choices", remedy: nearest ?? remedy)
            }
            return value
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}

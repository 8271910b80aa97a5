/// A member's tags, kept sorted by name so that every run and every host goes through them in the same order.
package struct Tags: Hashable, Sendable {
    /// One name with its value. Text: bytes that are not UTF-8 are replaced when decoded; the meta itself stays as it
    /// is.
    package struct Tag: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Sorted by the bytes of the name; each name once.
    package private(set) var sorted: [Tag]

    package init() { sorted = [] }

    /// Of two tags with one name the later wins.
    package init(_ tags: some Sequence<(String, String)>) {
        self.init()
        for (name, value) in tags { self[name] = value }
    }

    package var count: Int { sorted.count }

    package var isEmpty: Bool { sorted.isEmpty }

    /// A tag's value; nil when there is none, and setting nil removes it. Linear: there are few.
    package subscript(name: String) -> String? {
        get { sorted.first { $0.name.utf8.elementsEqual(name.utf8) }?.value }
        set {
            let place = sorted.firstIndex { !$0.name.utf8.lexicographicallyPrecedes(name.utf8) } ?? sorted.count
            let exists = place < sorted.count && sorted[place].name.utf8.elementsEqual(name.utf8)
            switch (exists, newValue) {
            case (true, let value?): sorted[place] = Tag(name: name, value: value)
            case (true, nil): sorted.remove(at: place)
            case (false, let value?): sorted.insert(Tag(name: name, value: value), at: place)
            case (false, nil): break
            }
        }
    }
}

extension Tags: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }
}

/// What has to be done to come from one ruleset to another.
package enum RulesetDifference: Sendable, Equatable {
    case none
    /// Only members of sets differ.
    case elements([ElementChange])
    /// Rules, chains, sets or tables differ: everything is replaced in one transaction.
    case replace

    package init(from old: Ruleset, to new: Ruleset) {
        guard old != new else {
            self = .none
            return
        }
        guard old.withoutElements == new.withoutElements else {
            self = .replace
            return
        }
        self = .elements(
            zip(old.tables, new.tables).flatMap { before, after in
                zip(before.sets, after.sets).compactMap { ElementChange(table: after.name, from: $0, to: $1) }
            }
        )
    }
}

/// Members to take out of a set, and then to put in.
package struct ElementChange: Sendable, Equatable {
    package let table: String
    package let set: String
    package let kind: NamedSet.Kind
    package let removed: [SetElement]
    package let added: [SetElement]

    /// Nil when the two hold the same.
    init?(table: String, from old: NamedSet, to new: NamedSet) {
        let before = Set(old.elements)
        let after = Set(new.elements)
        guard before != after else { return nil }
        self.table = table
        self.set = new.name
        self.kind = new.kind
        self.removed = old.elements.filter { !after.contains($0) }
        self.added = new.elements.filter { !before.contains($0) }
    }
}

extension Ruleset {
    fileprivate var withoutElements: Ruleset {
        var copy = self
        for table in copy.tables.indices {
            for set in copy.tables[table].sets.indices { copy.tables[table].sets[set].elements = [] }
        }
        return copy
    }
}

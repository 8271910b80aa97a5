/// Tree to program (Thompson's construction).
struct TagPatternCompiler {
    private(set) var program: [TagPattern.Instruction] = []

    /// False when the program becomes too large.
    mutating func compile(_ node: TagPatternNode) -> Bool {
        guard program.count < TagPattern.programLimit else { return false }
        switch node {
        case .empty: return true
        case .character(let set): program.append(.character(set))
        case .assertion(let assertion): program.append(.assert(assertion))
        case .sequence(let parts): return parts.allSatisfy { compile($0) }
        case .alternatives(let choices): return compile(choices[...])
        case .repeated(let part, let minimum, let maximum):
            for _ in 0..<minimum where !compile(part) { return false }
            guard let maximum else { return compileLoop(part) }
            return compileOptional(part, count: maximum - minimum)
        }
        return true
    }

    private mutating func compile(_ choices: ArraySlice<TagPatternNode>) -> Bool {
        guard let first = choices.first else { return true }
        guard choices.count > 1 else { return compile(first) }
        let split = reserve()
        guard compile(first) else { return false }
        let jump = reserve()
        program[split] = .split(split + 1, program.count)
        guard compile(choices.dropFirst()) else { return false }
        program[jump] = .jump(program.count)
        return true
    }

    private mutating func compileLoop(_ part: TagPatternNode) -> Bool {
        let split = reserve()
        guard compile(part) else { return false }
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
        return true
    }

    private mutating func compileOptional(_ part: TagPatternNode, count: Int) -> Bool {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(reserve())
            guard compile(part) else { return false }
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
        return true
    }

    /// A place for an instruction whose targets are not known yet.
    private mutating func reserve() -> Int {
        program.append(.match)
        return program.count - 1
    }
}

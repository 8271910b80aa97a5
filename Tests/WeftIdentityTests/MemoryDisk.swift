import Synchronization
import WeftIdentity

/// A disk that a test can look at after every operation, as a loss of power would leave it, and that can fail.
///
/// Content reaches the disk when it is synced and names when their directory is; until then a loss of power may keep,
/// lose, or (for content) halve them, each by itself. `aftermaths` is all that may be found.
final class MemoryDisk: StateFiles {
    struct Failure: Sendable {
        /// Fails at this operation, counted from 0.
        let at: Int
        let number: Int32
        /// How much of the content of a failing creation is written all the same.
        var keeping = 0
    }

    private struct Node: Sendable {
        var content: [UInt8]
        var isSynced = false
        var mode: UInt32 = 0o600
    }

    private struct State: Sendable {
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var nodes: [Node] = []
        var operations = 0
        var failure: Failure?
        /// What a loss of power after each operation may leave, by path.
        var aftermaths: [[[String: StateFile]]] = []
    }

    private let state = Mutex(State())

    /// Starts with files that have long been there.
    init(_ files: [String: StateFile] = [:]) {
        state.withLock { state in
            for (path, file) in files {
                state.nodes.append(Node(content: file.content, isSynced: true, mode: file.mode))
                state.names[path] = state.nodes.count - 1
            }
            state.durableNames = state.names
        }
    }

    func fail(_ failure: Failure?) {
        state.withLock { state in
            state.operations = 0
            state.failure = failure
        }
    }

    var operations: Int { state.withLock { $0.operations } }

    var aftermaths: [[[String: StateFile]]] { state.withLock { $0.aftermaths } }

    var files: [String: StateFile] {
        state.withLock { state in
            state.names.mapValues { StateFile(content: state.nodes[$0].content, mode: state.nodes[$0].mode) }
        }
    }

    func makeDirectory(_ path: String) throws(StateFileError) {
        try step("make directory", path) { _ in }
    }

    func read(_ path: String, maximum: Int) throws(StateFileError) -> StateFile? { files[path] }

    func create(_ path: String, _ content: [UInt8]) throws(StateFileError) {
        let failure = state.withLock { $0.failure }
        do throws(StateFileError) {
            try step("create", path) { state in
                state.nodes.append(Node(content: content))
                state.names[path] = state.nodes.count - 1
            }
        } catch {
            state.withLock { state in
                state.nodes.append(Node(content: Array(content.prefix(failure?.keeping ?? 0))))
                state.names[path] = state.nodes.count - 1
            }
            throw error
        }
    }

    func sync(_ path: String) throws(StateFileError) {
        try step("sync", path) { state in
            if let node = state.names[path] { state.nodes[node].isSynced = true }
        }
    }

    func rename(_ path: String, to target: String) throws(StateFileError) {
        try step("rename", path) { state in state.names[target] = state.names.removeValue(forKey: path) }
    }

    func syncDirectory(_ path: String) throws(StateFileError) {
        try step("sync directory", path) { state in state.durableNames = state.names }
    }

    func remove(_ path: String) throws(StateFileError) {
        try step("remove", path) { state in state.names[path] = nil }
    }

    private func step(
        _ operation: String,
        _ path: String,
        _ change: (inout State) -> Void
    ) throws(StateFileError) {
        let number: Int32? = state.withLock { state in
            defer { state.operations += 1 }
            if let failure = state.failure, failure.at == state.operations { return failure.number }
            change(&state)
            state.aftermaths.append(Self.aftermaths(of: state))
            return nil
        }
        if let number { throw StateFileError(operation, path, number: number) }
    }

    /// The names as they are, as they were last synced, and any mixture; each with its content whole, and if it was not
    /// synced also halved and empty.
    private static func aftermaths(of state: State) -> [[String: StateFile]] {
        var results: [[String: StateFile]] = [[:]]
        for path in Set(state.names.keys).union(state.durableNames.keys).sorted() {
            var choices: [StateFile?] = []
            for node in [state.names[path], state.durableNames[path]] {
                guard let node = node.map({ state.nodes[$0] }) else {
                    choices.append(nil)
                    continue
                }
                choices.append(StateFile(content: node.content, mode: node.mode))
                guard !node.isSynced else { continue }
                choices.append(StateFile(content: Array(node.content.prefix(node.content.count / 2)), mode: node.mode))
                choices.append(StateFile(content: [], mode: node.mode))
            }
            results = results.flatMap { result in
                choices.map { choice in
                    var next = result
                    next[path] = choice
                    return next
                }
            }
        }
        return results
    }
}

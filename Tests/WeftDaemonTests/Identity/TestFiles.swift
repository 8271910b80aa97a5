import Glibc
import Synchronization
import WeftIdentity

/// Files in memory, with all that was there after each operation, and a disk that can be full.
final class TestFiles: StateFiles {
    private struct State {
        var files: [String: StateFile] = [:]
        var history: [[String: StateFile]] = []
        var isFull = false
    }

    private let state: Mutex<State>

    init(_ files: [String: StateFile] = [:]) { state = Mutex(State(files: files)) }

    var files: [String: StateFile] { state.withLock { $0.files } }

    /// What a loss of power may leave: the files after each operation so far, in order.
    var history: [[String: StateFile]] { state.withLock { $0.history } }

    func forgetHistory() { state.withLock { $0.history = [] } }

    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

    /// Puts something else in the place of a file.
    func damage(_ path: String) {
        state.withLock { $0.files[path] = StateFile(content: Array("rubbish".utf8), mode: 0o600) }
    }

    private func change(_ body: (inout [String: StateFile]) -> Void) {
        state.withLock { state in
            body(&state.files)
            state.history.append(state.files)
        }
    }

    func makeDirectory(_ path: String) {}

    func read(_ path: String, maximum: Int) -> StateFile? { files[path] }

    func create(_ path: String, _ content: [UInt8]) throws(StateFileError) {
        // Half of it is there at some time.
        change { $0[path] = StateFile(content: Array(content.prefix(content.count / 2)), mode: 0o600) }
        guard !state.withLock({ $0.isFull }) else { throw StateFileError("write", path, number: ENOSPC) }
        change { $0[path] = StateFile(content: content, mode: 0o600) }
    }

    func sync(_ path: String) {}

    func rename(_ path: String, to target: String) {
        change { files in files[target] = files.removeValue(forKey: path) }
    }

    func syncDirectory(_ path: String) {}

    func remove(_ path: String) { change { $0[path] = nil } }
}

/// Polls a condition until it holds, and throws with `what` at the deadline. Errors of the condition end it at once.
package func waitUntil(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    every pause: Duration = .milliseconds(20),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while true {
        if try await condition() { return }
        if ContinuousClock.now > deadline { throw RigFailure("not within \(limit): \(what())") }
        try await Task.sleep(for: pause)
    }
}

/// Polls until there is a value, and returns it; throws with `what` at the deadline.
package func waitFor<Value>(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    every pause: Duration = .milliseconds(20),
    _ value: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while true {
        if let value = try await value() { return value }
        if ContinuousClock.now > deadline { throw RigFailure("not within \(limit): \(what())") }
        try await Task.sleep(for: pause)
    }
}

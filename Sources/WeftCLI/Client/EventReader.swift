internal import WeftAPI

/// An event twice: as a value for people, and as the JSON that it came as.
struct Event {
    let row: EventRow
    let json: JSONText
}

/// Events that follow each other, and how many were forgotten before the first of them.
struct EventBatch {
    let events: [Event]
    let missed: UInt64
}

/// Asks weftd for its events one batch after the other, from the first that it counted, and keeps the place.
struct EventReader {
    private let client: DaemonClient
    /// The number of the last event that was read or forgotten.
    private(set) var position: UInt64 = 0

    init(client: DaemonClient) { self.client = client }

    /// The events after the place. With none, weftd waits for the first, at most 30 seconds; then the batch is empty.
    /// Throws `DaemonError.restarted` when weftd no longer counts as it did.
    mutating func next(waitSeconds: Int) async throws(DaemonError) -> EventBatch {
        let query = "after=\(position)&wait=\(waitSeconds)"
        let answer = try await client.ask(
            EventsResponse.self,
            .events,
            query: query,
            timeout: waitSeconds > 0 ? Patience.events : nil
        )
        let response = answer.value
        guard response.latest >= position else { throw .restarted(client.socket) }
        position = response.latest
        let events = zip(response.events, answer.json.elements(of: "events")).map(Event.init)
        return EventBatch(events: events, missed: response.missed)
    }
}

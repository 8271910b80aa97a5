package import WeftCore

extension LoadBalancer {
    /// Where an endpoint is kept, for as long as it is of the group.
    package struct Place: Hashable, Sendable {
        let index: UInt32
        let generation: UInt32

        var slot: Int { Int(index) }
    }

    /// The endpoint that a request should go to. Nothing has been counted yet: explaining a choice changes none.
    package struct Choice: Sendable {
        package let endpoint: ID
        let place: Place
        /// Whether the request finds out if an ejected endpoint has recovered.
        package let isProbe: Bool
    }

    /// One request, or one try of it, at its endpoint. The request's owner keeps it and ends it.
    package struct Ticket: Sendable {
        enum Phase: Sendable {
            case started
            case answered
            case ended
        }

        package let endpoint: ID
        let place: Place
        package let started: Instant
        var phase = Phase.started
        var isJudged = false
        package internal(set) var isProbe: Bool

        init(endpoint: ID, place: Place, started: Instant, isProbe: Bool) {
            self.endpoint = endpoint
            self.place = place
            self.started = started
            self.isProbe = isProbe
        }
    }

    /// The endpoints that a request has been tried at. The last four are remembered: a request has three tries at most.
    package struct Tried: Sendable {
        private var places = InlineArray<4, Place?>(repeating: nil)
        private var next = 0

        package init() {}

        package var isEmpty: Bool { next == 0 }

        /// The try of this ticket was not the last one.
        package mutating func insert(_ ticket: Ticket) {
            places[next % 4] = ticket.place
            next += 1
        }

        func contains(_ place: Place) -> Bool {
            for index in places.indices where places[index] == place { return true }
            return false
        }
    }
}

import Testing

/// Everything that talks to an API server on a real socket, one test after the other: some open thousands of sockets.
@Suite("API server", .serialized, .timeLimit(.minutes(5)))
enum APITests {}

import Testing

/// Everything about tunnels that uses sockets, one test after the other: each has three event loops and threads.
@Suite(.blocking, .serialized) enum TunnelTests {}

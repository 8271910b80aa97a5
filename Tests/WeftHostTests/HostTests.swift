import Testing

/// Everything that asks the real kernel, one test after the other: the tests open thousands of sockets, change the
/// environment and count descriptors.
@Suite("Linux host", .serialized)
enum HostTests {}

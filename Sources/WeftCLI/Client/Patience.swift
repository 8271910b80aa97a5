/// How long weft waits where weftd takes its time on purpose. Each is weftd's own limit and five seconds, so that its
/// answer, which says what it got done, comes first; or more, where the limit depends on others.
enum Patience {
    /// weftd tries every address, and waits for a host that is slow to answer: 20 s in all.
    static let join: Duration = .seconds(25)
    /// weftd asks the hosts of the token in turn, enters their pool, and has the ports tried, both ways.
    static let tokenJoin: Duration = .seconds(60)
    /// Asking the other host who it is, and handing the authority over: 10 s each.
    static let grant: Duration = .seconds(25)
    /// Making a certificate, a tunnel, and then a connection without one: 10 s at most for each of the last two.
    static let ping: Duration = .seconds(30)
    /// Saying goodbye to the others, and seeing it spread: 15 s.
    static let leave: Duration = .seconds(20)
    /// Asking every host about its keys and waiting for the last of them: 30 s.
    static let keys: Duration = .seconds(35)
    /// The `wait` that weft asks for, in seconds, of the 30 that weftd allows.
    static let eventsWaitSeconds = 25
    /// A wait for events, and then an ordinary answer.
    static let events: Duration = .seconds(eventsWaitSeconds + 10)
}

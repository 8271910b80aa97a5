/// What weftd might say of other hosts.
extension Answers {
    static let peers = """
        [{"name":"web-2","address":"10.0.0.6:7946","state":"alive","rttMilliseconds":0.42,"kind":"weft","version":"0.1.0",
          "tags":{"weft":"1","weft-port":"15008","role":"web","dc":"fra1"},"sinceSeconds":7264.2,"isSelf":false},
         {"name":"db-9","address":"10.0.0.19:7946","state":"failed","rttMilliseconds":12.3,"kind":"weft",
          "version":"0.1.0","tags":{"weft":"1"},"sinceSeconds":3.2,"isSelf":false},
         {"name":"web-1","address":"10.0.0.5:7946","state":"alive","kind":"weft","version":"0.1.0",
          "tags":{"weft":"1","weftling":"kept"},"sinceSeconds":1051200,"isSelf":true,"futureField":1.50},
         {"name":"agent-with-quite-a-long-name-that-goes-on-and-on.example","kind":"serf","state":"suspect",
          "address":"[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:7946","rttMilliseconds":0.01,
          "tags":{"note":"a\\u001b[2Jb"},"sinceSeconds":0.6,"isSelf":false},
         {"name":"caf\\u00e9-\\u6771\\u4eac","address":"10.0.0.20:7946","state":"left","rttMilliseconds":-1,
          "kind":"serf","tags":{},"sinceSeconds":1e300,"isSelf":false}]
        """

    static let peersAlone = """
        [{"name":"web-1","address":"10.0.0.5:7946","state":"alive","kind":"weft","version":"0.1.0",
          "tags":{"weft":"1"},"sinceSeconds":12,"isSelf":true}]
        """

    static let joined = """
        {"attempts":[{"address":"10.0.0.12:7946"},
                     {"address":"db-9:7000","error":"no such name\\u001b[2J"},
                     {"address":"[fd00::1]:7946","error":null}],"peersAlive":5}
        """
    static let joinedNone = """
        {"attempts":[{"address":"db-9:7000","error":"connection refused"},
                     {"address":"10.0.0.13:7946","error":"it talks with a key that this host does not have, or with none at all"}],
         "peersAlive":1}
        """
    static let leaveRefusal = """
        {"code":"peer-alive","text":"db-9 is alive: it has to leave by itself.","next":"weft peers"}
        """

    /// Four events are remembered, of seven; another comes after a silence, three are forgotten, then weftd is gone.
    static var eventsLive: CannedTransport { CannedTransport.events(eventBatches) }

    private static let eventBatches: [(after: UInt64, wait: Int, body: String)] = [
        (
            0, 0,
            """
            {"latest":6,"missed":3,"events":[
              {"sequence":4,"time":"2026-08-01T12:00:00.000Z","kind":"peer-joined","node":"db-9"},
              {"sequence":5,"time":"2026-08-01T12:00:01.250Z","kind":"service-added","node":"db-9","name":"postgresql"},
              {"sequence":6,"time":"2026-08-01T12:01:00.000Z","kind":"peer-failed","node":"a-longer-name.example",
               "futureField":[1.50,{"b":1,"a":"x y"}]}]}
            """
        ),
        (
            6, 0,
            """
            {"latest":7,"missed":0,"events":[
              {"sequence":7,"time":"2026-08-01T12:01:02.000Z","kind":"user","name":"deploy","payload":"v42\\n\\u001b[2J"}]}
            """
        ),
        (7, 0, #"{"latest":7,"missed":0,"events":[]}"#),
        (
            7, 25,
            """
            {"latest":8,"missed":0,"events":[
              {"sequence":8,"time":"2026-08-01T12:02:00.000Z","kind":"peer-suspect","node":"web-2"}]}
            """
        ),
        (
            8, 25,
            """
            {"latest":13,"missed":3,"events":[
              {"sequence":12,"time":"2026-08-01T12:03:00.000Z","kind":"query","node":"web-2","payload":"without a name"},
              {"sequence":13,"time":"2026-08-01T12:03:00.001Z","kind":"key","node":"","name":""}]}
            """
        ),
    ]
    static let noEvents = #"{"latest":0,"missed":0,"events":[]}"#

    static let key = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s="
    static let keys = """
        {"keys":[{"key":"AAAAAAAAAAAAAAAAAAAAAA==","hosts":4,"primaryOn":0},
                 {"key":"T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=","hosts":5,"primaryOn":5}],
         "failures":[],"hostsAsked":5,"hostsAnswered":5}
        """
    static let keysPartly = """
        {"keys":[{"key":"AAAAAAAAAAAAAAAAAAAAAA==","hosts":3,"primaryOn":1},
                 {"key":"T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=","hosts":4,"primaryOn":3}],
         "failures":[{"node":"web-2","error":"the keyring cannot be read: it is somewhere on a disk\\u001b[2J that is gone"},
                     {"node":"db-9","error":"no keyring"}],"hostsAsked":6,"hostsAnswered":5}
        """
    static let keysChanged = #"{"keys":[],"failures":[],"hostsAsked":5,"hostsAnswered":5}"#
    static let keysFailed = """
        {"keys":[],"failures":[{"node":"web-2","error":"removing the primary key is not allowed"}],"hostsAsked":5,
         "hostsAnswered":5}
        """
    static let keysSilent = #"{"keys":[],"failures":[],"hostsAsked":5,"hostsAnswered":4}"#
}

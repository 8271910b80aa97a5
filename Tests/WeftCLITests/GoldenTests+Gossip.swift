import WeftAPI

@testable import WeftCLI

extension GoldenTests {
    /// Everything about other hosts but services.
    static let gossip = [
        Case("peers", "peers", .answering(.peers, Answers.peers)),
        Case("peers-100", "peers", .answering(.peers, Answers.peers), style: terminal100),
        Case("peers-ascii-60", "peers", .answering(.peers, Answers.peers), style: ascii60),
        Case("peers-colour-80", "peers", .answering(.peers, Answers.peers), style: colour80),
        Case("peers-failed", "peers --state failed", .answering(.peers, Answers.peers)),
        Case("peers-none", "peers --state left", .answering(.peers, Answers.peersAlone)),
        Case("peers-alone", "peers", .answering(.peers, Answers.peersAlone), isRoot: false),
        Case("peers-empty", "peers", .answering(.peers, "[]")),
        Case("peers-json", "peers --state suspect -o json", .answering(.peers, Answers.peers)),
        Case("join", "join 10.0.0.12 db-9:7000 [fd00::1]:7946", .answering(.join, Answers.joined)),
        Case("join-failed", "join db-9:7000 10.0.0.13", .answering(.join, Answers.joinedNone)),
        Case("join-failed-colour-80", "join [fd00::1]", .answering(.join, Answers.joinedNone), style: colour80),
        Case("join-json", "join 10.0.0.12 -o json", .answering(.join, Answers.joined)),
        Case("leave", "leave", .answering(.leave, #"{"node":"web-1"}"#)),
        Case("leave-node", "leave db-9", .answering(.leave, #"{"node":"db-9"}"#)),
        Case("leave-json", "leave db-9 -o json", .answering(.leave, #"{"node":"db-9"}"#)),
        Case("leave-refused", "leave db-9", .always(409, Answers.leaveRefusal)),
        Case("events", "events", Answers.eventsLive),
        Case("events-since-start", "events --since-start", Answers.eventsLive),
        Case("events-last-colour-80", "events --last 4 --no-follow", Answers.eventsLive, style: colour80),
        Case("events-json", "events --last 2 -o json", Answers.eventsLive),
        Case("events-past", "events --no-follow", Answers.eventsLive),
        Case("events-past-empty", "events --no-follow", .answering(.events, query: "after=0&wait=0", Answers.noEvents)),
        Case(
            "events-past-empty-json",
            "events --no-follow -o json",
            .answering(.events, query: "after=0&wait=0", Answers.noEvents)
        ),
        Case("event", "event deploy v42", .answering(.sendEvent, #"{"done":true}"#)),
        Case("event-json", "event deploy -o json", .answering(.sendEvent, #"{"done":true}"#)),
        Case("keys-list", "gossip keys list", .answering(.keys, Answers.keys)),
        Case("keys-list-ascii-60", "gossip keys list", .answering(.keys, Answers.keysPartly), style: ascii60),
        Case("keys-list-colour-80", "gossip keys list", .answering(.keys, Answers.keysPartly), style: colour80),
        Case("keys-list-empty", "gossip keys list", .answering(.keys, Answers.keysChanged)),
        Case("keys-list-json", "gossip keys list -o json", .answering(.keys, Answers.keys)),
        Case("keys-install", "gossip keys install \(Answers.key)", .answering(.installKey, Answers.keysChanged)),
        Case("keys-use", "gossip keys use \(Answers.key)", .answering(.useKey, Answers.keysChanged)),
        Case("keys-remove", "gossip keys remove \(Answers.key)", .answering(.removeKey, Answers.keysChanged)),
        Case("keys-remove-failed", "gossip keys remove \(Answers.key)", .answering(.removeKey, Answers.keysFailed)),
        Case("keys-use-silent", "gossip keys use \(Answers.key)", .answering(.useKey, Answers.keysSilent)),
    ]
}

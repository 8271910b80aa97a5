import Testing
import WeftAPI
import WeftCore

@testable import WeftDaemon

/// Every route, what it asks of the daemon, and its answer.
extension APITests.RouteTests {
    static let root = Viewer(uid: .root, seesAll: true)
    private static let source =
        #"{"address":"10.0.0.5:4000","pid":7,"tenant":"system","uid":33,"unit":"web.service"}"#

    private static let numbers =
        #"{"failures":1,"p50Milliseconds":1,"p90Milliseconds":2,"p99Milliseconds":3,"requests":10,"#
        + #""requestsPerSecond":2.5,"successRate":0.9}"#
    private static let keysAnswer = #"{"failures":[],"hostsAnswered":2,"hostsAsked":3,"keys":[]}"#

    private static let tokensAnswer = #"[{"allow":["web"],"expires":"e","id":"1f","used":1,"uses":3}]"#
    private static let caAnswer =
        #"{"holders":["web-1"],"isHolder":true,"mesh":"prod","revoked":[],"roots":["ab"],"rotation":"prepared","#
        + #""version":3,"waitingFor":["db-1"]}"#

    static let routes = [
        Route(route: .version, call: .version, body: #"{"version":"9.8.7"}"#),
        Route(
            route: .status,
            call: .status,
            body: #"{"capture":{"degraded":["a/b"],"error":"EPERM","rules":0,"scope":"mesh","state":"failed"},"#
                + #""connections":{"failed":3,"open":1,"total":2},"cpuSeconds":0.25,"memoryBytes":4,"#
                + #""node":"web-1","peersAlive":7,"peersFailed":8,"problems":[{"code":"capture-failed","next":"n","severity":"error","#
                + #""text":"t"}],"services":5,"uptimeSeconds":1.5,"version":"9.8.7","workloads":6}"#
        ),
        Route(
            route: .services,
            call: .services(root),
            body: #"[{"addresses":["0.0.0.0"],"endpoints":[{"address":"10.0.0.1","healthy":true,"labels":{},"#
                + #""node":"db-1","port":80}],"exposed":true,"labels":{"env":"prod","version":"2"},"#
                + #""name":"web","port":80,"tenant":"system","unit":"web.service","#
                + #""virtualAddresses":["240.0.0.1"]}]"#
        ),
        Route(
            route: .workloads,
            call: .workloads(root),
            body: #"[{"bytesIn":5,"bytesOut":4,"connectionsOpen":2,"connectionsTotal":3,"processes":1,"#
                + #""services":["web"],"slice":"system.slice","tenant":"system","unit":"web.service"}]"#
        ),
        Route(
            route: .connections,
            call: .connections(root),
            body: #"[{"ageSeconds":2,"bytesIn":0,"bytesOut":18446744073709551615,"#
                + #""destination":"10.0.0.12:8080","id":"1f","identity":{},"path":"outside","#
                + #""security":"plaintext","source":\#(source),"state":"open"}]"#
        ),
        Route(
            route: .decisions,
            call: .decisions(20, root),
            body: #"[{"bytesIn":2,"bytesOut":1,"destination":"10.0.0.12:8080","durationSeconds":0.5,"#
                + #""ending":"completed","id":"2","identity":{},"path":"local","security":"local","#
                + #""service":"api","side":"client","source":\#(source),"time":"2026-08-01T12:00:03.004Z"}]"#
        ),
        Route(
            route: .stat,
            call: .stat,
            body: #"[{"actual":\#(numbers),"destination":"db-1","effective":\#(numbers),"perspective":"caller","#
                + #""protocol":"http/1.1","service":"api","source":"web","sourceTenant":"system","windowSeconds":4}]"#
        ),
        Route(
            route: .tap,
            call: .tap(TapFilter(), nil, .zero),
            body: #"{"latest":7,"missed":2,"requests":[]}"#
        ),
        Route(
            route: .check,
            call: .check,
            body: #"[{"code":"nat","remedy":"r","section":"kernel","text":"t","verdict":"warning"}]"#
        ),
        Route(
            route: .captureOn,
            call: .setCapture(true),
            body: #"{"degraded":[],"rules":9,"scope":"all","state":"on"}"#
        ),
        Route(
            route: .captureOff,
            call: .setCapture(false),
            body: #"{"degraded":[],"rules":0,"scope":"all","state":"off"}"#
        ),
        Route(
            route: .peers,
            call: .peers,
            body: #"[{"address":"10.0.0.1:7946","isSelf":false,"kind":"serf","name":"db-1","#
                + #""rttMilliseconds":0.5,"sinceSeconds":3,"state":"alive","tags":{"a":"b"}}]"#
        ),
        Route(
            route: .join,
            call: .join(JoinRequest(addresses: ["a"])),
            body: #"{"attempts":[{"address":"a","error":"e"}],"peersAlive":2}"#,
            sent: #"{"addresses":["a"]}"#
        ),
        Route(
            route: .leave,
            call: .leave(LeaveRequest(node: nil)),
            body: #"{"node":"web-1"}"#,
            sent: "{}"
        ),
        Route(route: .events, call: .events(nil, .zero), body: #"{"events":[],"latest":9,"missed":1}"#),
        Route(
            route: .sendEvent,
            call: .sendEvent(SendEventRequest(name: "n", payload: "p", coalesce: true)),
            body: #"{"done":true}"#,
            sent: #"{"name":"n","payload":"p","coalesce":true}"#
        ),
        Route(route: .keys, call: .gossipKeys(.list), body: keysAnswer),
        Route(
            route: .installKey,
            call: .gossipKeys(.install(KeyRequestBody(key: "k"))),
            body: keysAnswer,
            sent: #"{"key":"k"}"#
        ),
        Route(
            route: .useKey,
            call: .gossipKeys(.use(KeyRequestBody(key: "k"))),
            body: keysAnswer,
            sent: #"{"key":"k"}"#
        ),
        Route(
            route: .removeKey,
            call: .gossipKeys(.remove(KeyRequestBody(key: "k"))),
            body: keysAnswer,
            sent: #"{"key":"k"}"#
        ),
        Route(
            route: .up,
            call: .up(UpRequest(name: "prod")),
            body: #"{"isNew":true,"mesh":"prod","node":"web-1"}"#,
            sent: #"{"name":"prod"}"#
        ),
        Route(
            route: .tokenJoin,
            call: .tokenJoin(TokenJoinRequest(token: "t", force: true)),
            body: #"{"mesh":"prod","node":"web-1","peersAlive":2,"reach":[],"warnings":["w"]}"#,
            sent: #"{"token":"t","force":true}"#
        ),
        Route(route: .tokens, call: .tokens, body: tokensAnswer),
        Route(
            route: .newToken,
            call: .makeToken(TokenRequest(validSeconds: 60, uses: 2, allow: nil, addresses: ["a"])),
            body: #"{"expires":"e","id":"1f","mesh":"prod","token":"weft1_x","uses":2}"#,
            sent: #"{"validSeconds":60,"uses":2,"addresses":["a"]}"#
        ),
        Route(
            route: .withdrawToken,
            call: .withdrawToken(TokenWithdrawRequest(id: "1f")),
            body: #"{"done":true}"#,
            sent: #"{"id":"1f"}"#
        ),
        Route(
            route: .certificates,
            call: .certificates(ofMesh: false),
            body: #"[{"failures":0,"identity":"spiffe://prod/ns/system/sa/web","#
                + #""issuer":"spiffe://prod/ns/weft/sa/web-1","kind":"leaf","leftSeconds":5,"node":"web-1","#
                + #""notAfter":"e","renewsSeconds":2,"serial":"0a"}]"#
        ),
        Route(route: .ca, call: .authority, body: caAnswer),
        Route(
            route: .rotateCA,
            call: .rotateAuthority(CARotateRequest(force: false, cancel: true)),
            body: caAnswer,
            sent: #"{"force":false,"cancel":true}"#
        ),
        Route(
            route: .grantCA,
            call: .grantAuthority(NodeRequestBody(node: "db-1")),
            body: caAnswer,
            sent: #"{"node":"db-1"}"#
        ),
        Route(route: .exportCA, call: .exportAuthority, body: #"{"pem":"p"}"#),
        Route(
            route: .importCA,
            call: .importAuthority(CAKeyText(pem: "p")),
            body: caAnswer,
            sent: #"{"pem":"p"}"#
        ),
        Route(
            route: .revoke,
            call: .revoke(NodeRequestBody(node: "db-1")),
            body: caAnswer,
            sent: #"{"node":"db-1"}"#
        ),
        Route(
            route: .ping,
            call: .ping(PingRequest(source: nil, destination: "api")),
            body: #"{"destination":"api","source":"host","#
                + #""steps":[{"isGood":false,"layer":"reach","milliseconds":1.5,"next":"n","text":"t"}]}"#,
            sent: #"{"destination":"api"}"#
        ),
        Route(route: .metrics, call: .metrics, body: "# HELP up x\n# TYPE up gauge\nup 1\n"),
    ]
}

/// What weftd might say of identity, tokens and the authority.
extension Answers {
    static let token = "weft1_AHh3ZWZ0LWZyYTEAAAAAam1mgA"

    static let tokenJoined = """
        {"mesh":"fra1","node":"db-1","peersAlive":3,"reach":[
           {"from":"db-1","to":"web-1","transport":"tcp","port":15008,"isOpen":true},
           {"from":"db-1","to":"web-1","transport":"udp","port":7946,"isOpen":true},
           {"from":"web-1","to":"db-1","transport":"tcp","port":15008,"isOpen":true}],
         "warnings":[]}
        """
    static let tokenJoinedPartly = """
        {"mesh":"fra1","node":"db-1","peersAlive":1,"reach":[
           {"from":"db-1","to":"web-1","transport":"tcp","port":15008,"isOpen":true},
           {"from":"web-1","to":"db-1","transport":"tcp","port":15008,"isOpen":false,
            "next":"open TCP 15008 from 10.0.0.5 on db-1, e.g. sudo nft insert rule inet filter input ip saddr 10.0.0.5 tcp dport 15008 accept"},
           {"from":"web-1","to":"db-1\\u001b[2J","transport":"udp","port":7946,"isOpen":false,"next":null}],
         "warnings":["this host's clock is 4 min ahead of the mesh's","the pool was not joined: no host answered\\u001b[2J"],
         "futureField":1.50}
        """
    static let tokenRefusal = """
        {"code":"expired-token","text":"this token was good until 2026-08-01T12:00:00Z, and by this host's clock it is 2026-08-02T07:00:00Z",
         "next":"weft token on a host of the mesh; if the clock is wrong: timedatectl"}
        """

    static let tokenMade = """
        {"id":"00c0ffee00c0ffee","token":"weft1_AHh3ZWZ0LWZyYTEAAAAAam1mgA","mesh":"fra1","expires":"2026-08-02T12:00:00Z","uses":1}
        """
    static let tokens = """
        [{"id":"00c0ffee00c0ffee","expires":"2026-08-02T12:00:00Z","uses":1,"used":1},
         {"id":"0123456789abcdef","expires":"2026-08-03T12:00:00Z","uses":1024,"used":0,"allow":["web","shop/api\\u001b[2J"]}]
        """
    static let up = #"{"mesh":"fra1","node":"web-1","isNew":true}"#
    static let upAgain = #"{"mesh":"fra1","node":"web-1","isNew":false}"#

    static let certificates = """
        [{"node":"web-1","kind":"root","identity":"spiffe://fra1","issuer":"spiffe://fra1","serial":"0a",
          "notAfter":"2036-07-30T12:00:00Z","leftSeconds":315360000,"failures":0},
         {"node":"web-1","kind":"intermediate","identity":"spiffe://fra1/ns/weft/sa/web-1","issuer":"spiffe://fra1",
          "serial":"0b","notAfter":"2026-08-30T12:00:00Z","leftSeconds":2505600,"renewsSeconds":1209600,"failures":0},
         {"node":"web-1","kind":"leaf","identity":"spiffe://fra1/ns/shop/sa/api",
          "issuer":"spiffe://fra1/ns/weft/sa/web-1","serial":"0c","notAfter":"2026-08-02T12:00:00Z",
          "leftSeconds":80000,"renewsSeconds":36000.4,"failures":0}]
        """
    static let certificatesFailing = """
        [{"node":"web-1","kind":"intermediate","identity":"spiffe://fra1/ns/weft/sa/web-1","issuer":"spiffe://fra1",
          "serial":"0b","notAfter":"2026-08-01T12:00:00Z","leftSeconds":-7200,"renewsSeconds":-3,"failures":1234},
         {"node":"web-1","kind":"leaf","identity":"spiffe://fra1/ns/Weft/sa/api",
          "issuer":"spiffe://fra1/ns/weft/sa/web-1","serial":"0c","notAfter":"2026-08-02T12:00:00Z",
          "leftSeconds":59,"renewsSeconds":12.5,"failures":1},
         {"node":"web-1","kind":"leaf","identity":"urn:x\\u001b[2J","issuer":"spiffe://fra1/ns/a/sa/b/c",
          "notAfter":"2026-08-02T12:00:00Z","leftSeconds":3000,"failures":0}]
        """
    static let certificatesOfMesh = """
        [{"node":"web-1","kind":"intermediate","identity":"spiffe://fra1/ns/weft/sa/web-1","issuer":"spiffe://fra1",
          "serial":"0b","notAfter":"2026-08-30T12:00:00Z","leftSeconds":2505600,"renewsSeconds":1209600,"failures":0},
         {"node":"db-1","kind":"intermediate","identity":"spiffe://fra1/ns/weft/sa/db-1","issuer":"spiffe://fra1",
          "notAfter":"2026-08-30T12:00:00Z","leftSeconds":1000000,"failures":0}]
        """

    private static let roots = [
        "5f3a09c1d2e4b6978801a2b3c4d5e6f75f3a09c1d2e4b6978801a2b3c4d5e6f7",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ]
    static let ca = """
        {"mesh":"fra1","isHolder":true,"holders":["web-1"],"roots":["\(roots[0])"],"version":3,"waitingFor":[],"revoked":[]}
        """
    static let caElsewhere = """
        {"mesh":"fra1","isHolder":false,"holders":["db-1","web-1"],"roots":["\(roots[1])","\(roots[0])"],"version":12,
         "rotation":"switched","waitingFor":["db-9","web-2\\u001b[2J"],"revoked":["old-1","old-2"]}
        """
    static let caAway = """
        {"mesh":"fra1","isHolder":false,"holders":[],"roots":["\(roots[0])"],"version":3,"waitingFor":[],"revoked":[]}
        """
    static let caRotating = """
        {"mesh":"fra1","isHolder":true,"holders":["web-1"],"roots":["\(roots[0])","\(roots[1])"],"version":4,
         "rotation":"prepared","waitingFor":["db-1"],"revoked":[]}
        """
    static let caKey = #"{"pem":"-----BEGIN PRIVATE KEY-----\nnot a key\n-----END PRIVATE KEY-----\n"}"#
    static let caRefusal = """
        {"code":"not-holder","text":"This host does not hold the authority; web-1 does.","next":"weft ca"}
        """

    static let decisionsDenied = """
        [{"id":"9","time":"2026-08-01T12:00:03.004Z","source":{"unit":"web.service","uid":33,"tenant":"system",
          "address":"10.0.0.5:41000"},"destination":"10.0.0.12:8080","service":"api","path":"peer","security":"mtls",
          "identity":{"source":"spiffe://fra1/ns/system/sa/web","destination":"spiffe://fra1/ns/shop/sa/api"},
          "rule":"allow of api on db-1","bytesOut":0,"bytesIn":0,"durationSeconds":0.004,"ending":"denied",
          "side":"destination"},
         {"id":"8","time":"2026-08-01T12:00:02.999Z","source":{"address":"192.0.2.7:1234"},
          "destination":"10.0.0.5:5432","path":"inbound","security":"plaintext","identity":{},"rule":"strict",
          "detail":"the caller has no certificate\\u001b[2J","bytesOut":0,"bytesIn":0,"durationSeconds":0.0004,
          "ending":"denied","side":"weft"},
         {"id":"7","time":"2026-08-01T11:59:59.000Z","source":{"unit":"web.service","uid":33,"tenant":"system",
          "address":"10.0.0.5:41001"},"destination":"10.0.0.12:8080","service":"api","path":"peer","security":"mtls",
          "identity":{"source":null},"rule":null,"detail":"db-1: the other host's certificate has ended",
          "bytesOut":517,"bytesIn":0,"durationSeconds":0.2,"ending":"unreachable","side":"destination"},
         {"id":"6","time":"2026-08-01T11:59:58.000Z","source":{"unit":"web.service","uid":33,"tenant":"system",
          "address":"10.0.0.5:41002"},"destination":"10.0.0.12:8080","service":"api","path":"peer","security":"mtls",
          "identity":{},"bytesOut":120,"bytesIn":1024,"durationSeconds":0.2,"ending":"completed","side":"client"}]
        """

    static let ping = """
        {"source":"spiffe://fra1/ns/system/sa/web","destination":"api at 10.0.0.12:8080","steps":[
          {"layer":"capture","isGood":true,"text":"connections of this host pass through weft (scope all)","milliseconds":0.04},
          {"layer":"reach","isGood":true,"text":"host db-1 answers at 10.0.0.12:15008","milliseconds":12.4},
          {"layer":"tls","isGood":true,"text":"mutual TLS with spiffe://fra1/ns/shop/sa/api","milliseconds":0},
          {"layer":"policy","isGood":true,"text":"no rule of host db-1 is against it"},
          {"layer":"app","isGood":true,"text":"10.0.0.12:8080 accepted the connection","milliseconds":0.4}]}
        """
    static let pingDenied = """
        {"source":"host","destination":"api\\u001b[2J","steps":[
          {"layer":"capture","isGood":true,"text":"connections of this host pass through weft (scope all)","milliseconds":0.04},
          {"layer":"reach","isGood":true,"text":"host db-1 answers at 10.0.0.12:15008","milliseconds":1250.2},
          {"layer":"tls","isGood":true,"text":"mutual TLS with spiffe://fra1/ns/shop/sa/api","milliseconds":9.96},
          {"layer":"policy","isGood":false,"text":"denied by allow of api on db-1\\u001b[2J","milliseconds":0.1,
           "next":"on db-1: sudoedit /etc/weft/weft.toml"}],"futureField":1.50}
        """
}

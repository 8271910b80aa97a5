/// What weftd might answer, as the JSON that it would send: ordinary hosts and odd ones.
enum Answers {
    static let statusGood = """
        {"version":"0.1.0","node":"web-1","uptimeSeconds":273845.5,
         "capture":{"state":"on","scope":"all","rules":42,"degraded":[]},
         "connections":{"open":12,"total":1234567,"failed":3},
         "memoryBytes":25270681,"cpuSeconds":12.44,"services":8,"workloads":1,"peersAlive":5,"peersFailed":1,"problems":[]}
        """

    static let statusWarning = """
        {"version":"0.1.0","node":"web-1","uptimeSeconds":0.25,
         "capture":{"state":"off","scope":"mesh","rules":0,"degraded":[]},
         "connections":{"open":0,"total":0,"failed":0},
         "memoryBytes":0,"cpuSeconds":0.0,"services":0,"workloads":0,"peersAlive":1,"peersFailed":0,
         "problems":[{"code":"capture-off","severity":"warning","text":"Capture was turned off by uid 0.",
                      "next":"sudo weft on"}]}
        """

    static let statusFailed = """
        {"version":"0.1.0","node":"knoten-ü-東京","uptimeSeconds":1e300,
         "capture":{"state":"failed","scope":"all","rules":0,
           "degraded":["This kernel has no table ownership (it came with 5.12), so rules outlive a weftd that is killed.",
                       "No cgroup v2: units cannot be told apart."],
           "error":"rule 7 of chain output (redirect to :15001): the kernel said EOPNOTSUPP"},
         "connections":{"open":9223372036854775807,"total":18446744073709551615,"failed":18446744073709551615},
         "memoryBytes":18446744073709551615,"cpuSeconds":-1,"services":1,"workloads":1000000,"peersAlive":1000000,"peersFailed":9223372036854775807,
         "problems":[
           {"code":"capture-failed","severity":"error",
            "text":"The kernel refused the rules: nft_redir is not there, and a redirect needs it. Traffic goes direct.",
            "next":"sudo modprobe nft_redir && sudo weft on"},
           {"code":"clock-skew","severity":"warning","text":"The clock\\nis \\u001b[31m2h behind\\u0007.",
            "next":"sudo timedatectl set-ntp true"}]}
        """

    static let services = """
        [{"name":"web","unit":"nginx.service","tenant":"system","port":443,"addresses":["0.0.0.0","::"],
          "virtualAddresses":["240.1.2.3"],"exposed":true,"labels":{"version":"v2","env":"prod"},"protocol":"http",
          "endpoints":[
            {"node":"web-2","address":"10.0.0.6","port":443,"healthy":true,"labels":{"zone":"b"}},
            {"node":"web-1","address":"10.0.0.5","port":443,"healthy":true,"labels":{}},
            {"node":"web-3","address":"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff","port":8443,"healthy":false,
             "labels":{"zone":"c\\u001b[2J","rack":"7"}}]},
         {"name":"web","unit":"nginx.service","tenant":"system","port":80,"addresses":["0.0.0.0","::"],
          "virtualAddresses":["240.1.2.3"],"exposed":true,"labels":{},
          "endpoints":[{"node":"web-1","address":"10.0.0.5","port":80,"healthy":true,"labels":{}}]},
         {"name":"postgresql","unit":"postgresql@15-main.service","tenant":"user-4294967295","port":5432,
          "addresses":["127.0.0.1"],"virtualAddresses":[],"exposed":false,"labels":{},"endpoints":[]},
         {"name":"a-service-whose-name-is-as-long-as-the-sixty-three-bytes-allowed",
          "unit":"a-service-whose-unit-has-an-even-longer-name-than-it-has-itself@instance-0001.service",
          "tenant":"payments","port":65535,
          "addresses":["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff","192.168.100.200","10.0.0.1"],
          "virtualAddresses":[],"exposed":true,"labels":{},
          "endpoints":[{"node":"a","address":"10.0.0.1","port":65535,"healthy":false,"labels":{}}]},
         {"name":"kaffee","tenant":"system","port":8080,"addresses":[],"virtualAddresses":[],"exposed":true,
          "labels":{"note":"a\\u001b[2Jb"},
          "endpoints":[{"node":"caf\\u00e9-\\u2615-\\u6771\\u4eac","address":"10.0.0.9","port":8080,"healthy":true,
                        "labels":{}}]}]
        """

    static let servicesSimple = """
        [{"name":"api","unit":"api.service","tenant":"system","port":8080,"addresses":["0.0.0.0"],
          "virtualAddresses":[],"exposed":true,"labels":{},"endpoints":[],"futureField":[1.50,1e3,null,{"b":{},"a":[]}]}]
        """

    static let workloads = """
        [{"unit":"nginx.service","slice":"system.slice","tenant":"system","processes":5,"services":["web","web-admin"],
          "connectionsOpen":1200,"connectionsTotal":98765432,"bytesOut":1288490188,"bytesIn":1023},
         {"unit":"host","tenant":"system","processes":0,"services":[],"connectionsOpen":0,"connectionsTotal":0,
          "bytesOut":0,"bytesIn":0},
         {"unit":"session-3.scope","slice":"user-1000.slice","tenant":"user-1000","processes":1,"services":[],
          "connectionsOpen":1,"connectionsTotal":1,"bytesOut":18446744073709551615,"bytesIn":1048575}]
        """

    static let connections = """
        [{"id":"1f","source":{"unit":"web.service","uid":33,"tenant":"system","pid":812,"address":"10.0.0.5:41000"},
          "destination":"10.0.0.12:8080","service":"api","path":"peer","security":"mtls",
          "identity":{"source":"spiffe://fra1/ns/system/sa/web","destination":"spiffe://fra1/ns/shop/sa/api"},
          "state":"open","bytesOut":1258291,"bytesIn":0,"ageSeconds":192.4},
         {"id":"100000000000002","source":{"address":"[2001:db8::1234]:55555"},
          "destination":"[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:5432","path":"inbound",
          "security":"mtls","identity":{"source":"spiffe://fra1/ns/weft/sa/db-1"},"state":"half-closed",
          "bytesOut":18446744073709551615,"bytesIn":1099511627776,"ageSeconds":8640000.0},
         {"id":"2","source":{"unit":"host","uid":0,"tenant":"system","address":"127.0.0.1:40000"},
          "destination":"127.0.0.1:80","service":"web","path":"local","security":"local","identity":{},
          "state":"dialling","bytesOut":0,"bytesIn":0,"ageSeconds":0.012},
         {"id":"3","source":{"unit":"a-unit-with-quite-a-long-name-that-goes-on-and-on.service","uid":4294967295,
                             "tenant":"user-4294967295","address":"127.0.0.1:40001"},
          "destination":"127.0.0.1:80","service":"web","path":"local","security":"plaintext",
          "identity":{"source":null,"destination":null},"state":"open","bytesOut":1024,"bytesIn":1048524,"ageSeconds":59.96}]
        """

    static let decisions = """
        [{"id":"9","time":"2026-08-01T12:00:03.004Z","source":{"unit":"web.service","uid":33,"tenant":"system",
          "address":"10.0.0.5:41000"},"destination":"10.0.0.12:8080","service":"api","path":"outside",
          "security":"plaintext","identity":{},"bytesOut":120,"bytesIn":5368709120,"durationSeconds":61.0,"ending":"completed","side":"client"},
         {"id":"8","time":"2026-08-01T12:00:02.999Z","source":{"address":"192.0.2.7:1234"},
          "destination":"10.0.0.5:5432","path":"inbound","security":"plaintext","identity":{},"bytesOut":0,"bytesIn":0,
          "durationSeconds":0.0004,"ending":"refused","side":"destination"},
         {"id":"7","time":"2026-08-01T11:59:59.000Z","source":{"unit":"b\\u00fccher.service","uid":1001,
          "tenant":"system","address":"10.0.0.5:41001"},"destination":"203.0.113.9:443","path":"outside",
          "security":"plaintext","identity":{},"bytesOut":517,"bytesIn":0,"durationSeconds":130.2,"ending":"connect-timeout","side":"destination"}]
        """

    static let checkGood = """
        [{"section":"kernel","code":"version","verdict":"good","text":"Linux 6.1.0 can do all that weft needs"},
         {"section":"capture","code":"table-owner","verdict":"good","text":"table inet weft is owned by weftd"}]
        """

    static let checkMixed = """
        [{"section":"kernel","code":"version","verdict":"good","text":"Linux 6.1.0 can do all that weft needs"},
         {"section":"kernel","code":"conntrack-fill","verdict":"warning",
          "text":"conntrack is 91% full: 238,551 of 262,144 entries; when it is full, new connections are dropped",
          "remedy":"sudo sysctl -w net.netfilter.nf_conntrack_max=524288"},
         {"section":"firewall","code":"chains","verdict":"failed",
          "text":"chain inet filter input (priority -10) drops what weft redirects to :15006",
          "remedy":"accept packets with mark 0x77656674 before that rule: sudo nft insert rule inet filter input meta mark 0x77656674 accept"},
         {"section":"pr\\u00fcfung","code":"x","verdict":"failed","text":"\\u6771\\u4eac\\u001b[31m"},
         {"section":"kernel","code":"late","verdict":"good","text":"a line of an earlier section that comes late"}]
        """

    static let checkWarning = """
        [{"section":"limits","code":"descriptors","verdict":"warning","text":"weftd may open 1,024 files",
          "remedy":"sudo systemctl edit weftd   # LimitNOFILE=1048576"}]
        """

    static let captureOn = #"{"state":"on","scope":"all","rules":1,"degraded":["No IPv6 NAT in this kernel."]}"#
    static let captureOff = #"{"state":"off","scope":"all","rules":0,"degraded":[]}"#
    static let captureFailed = #"{"state":"failed","scope":"all","rules":0,"degraded":[],"error":"EPERM at rule 1"}"#
    static let refusal = """
        {"code":"not-allowed","text":"Turning capture off is for root; you are uid 1000.","next":"sudo weft off"}
        """
}

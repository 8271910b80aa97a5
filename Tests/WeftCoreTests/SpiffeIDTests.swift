import Testing
import WeftCore

@Suite("Identities")
struct SpiffeIDTests {
    @Test(
        "What reads as an identity writes the same",
        arguments: [
            "spiffe://prod/ns/system/sa/api", "spiffe://mesh.test/ns/default/sa/server",
            "spiffe://a/ns/weft/sa/Web-1.example", "spiffe://a_b/ns/B/sa/..._",
        ]
    )
    func read(_ text: String) { #expect(SpiffeID(text)?.description == text) }

    @Test(
        "What does not",
        arguments: [
            "", "spiffe://", "spiffe://prod", "spiffe://prod/ns/system/sa", "spiffe://prod/ns/system/sa/",
            "spiffe://prod/ns/system/sa/api/", "spiffe://prod/ns/system/sa/api/x", "spiffe://prod/ns//sa/api",
            "spiffe://prod/ns/system/sb/api", "spiffe://Prod/ns/system/sa/api", "SPIFFE://prod/ns/system/sa/api",
            "https://prod/ns/system/sa/api", "spiffe://prod/ns/../sa/api", "spiffe://prod/ns/system/sa/.",
            "spiffe://prod/ns/system/sa/a%41", "spiffe://prod/ns/system/sa/a b", "spiffe://prod:1/ns/system/sa/api",
            "spiffe://u@prod/ns/system/sa/api", "spiffe://prod/ns/system/sa/api?x", "spiffe://prod/ns/system/sa/api#x",
            "spiffe://prod/ns/system/sa/\u{e9}", "spiffe://prod/ns/system/sa/api\n", "spiffe:///ns/system/sa/api",
        ]
    )
    func refused(_ text: String) { #expect(SpiffeID(text) == nil) }

    @Test("Text is bounded")
    func bounded() {
        let head = "spiffe://prod/ns/system/sa/"
        #expect(SpiffeID(head + String(repeating: "a", count: 2048 - head.utf8.count)) != nil)
        #expect(SpiffeID(head + String(repeating: "a", count: 2049 - head.utf8.count)) == nil)
    }

    @Test("Hosts and workloads are told apart")
    func kinds() throws {
        let mesh = try #require(MeshName("prod"))
        let host = SpiffeID(mesh: mesh, node: try #require(NodeName("Web-1")))
        #expect(host.description == "spiffe://prod/ns/weft/sa/Web-1")
        #expect(host.node?.text == "Web-1")
        #expect(host.tenant == nil && host.service == nil)
        let (tenant, service) = (try #require(TenantName("user-1000")), try #require(ServiceName("api")))
        let workload = SpiffeID(mesh: mesh, tenant: tenant, service: service)
        #expect(workload.node == nil)
        #expect(workload.tenant == tenant && workload.service == service)
        #expect(SpiffeID(workload.description) == workload)
    }

    @Test("A tenant that is called weft does not become a host")
    func namesake() throws {
        let (mesh, weft) = (try #require(MeshName("prod")), try #require(TenantName("weft")))
        let workload = SpiffeID(mesh: mesh, tenant: weft, service: try #require(ServiceName("web-1")))
        #expect(workload != SpiffeID(mesh: mesh, node: try #require(NodeName("web-1"))))
        #expect(workload.node == nil)
        #expect(workload.tenant == weft)
        #expect(SpiffeID(workload.description) == workload)
    }

    @Test(
        "What a mesh may be called",
        arguments: ["a", "prod", "mesh.test", "0-_.", String(repeating: "m", count: 63)]
    )
    func meshAccepted(_ text: String) { #expect(MeshName(text)?.text == text) }

    @Test(
        "What it may not",
        arguments: ["", "-a", ".a", "_a", "A", "a b", "a/b", "é", String(repeating: "m", count: 64)]
    )
    func meshRefused(_ text: String) { #expect(MeshName(text) == nil) }
}

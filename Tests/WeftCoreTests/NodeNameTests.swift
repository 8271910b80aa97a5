import Testing
import WeftCore

@Suite("Node names")
struct NodeNameTests {
    @Test("What gossip takes as a name", arguments: ["a", "Web-1", "host.example.org", "_x", "0", "-", "."])
    func accepted(_ text: String) { #expect(NodeName(text)?.text == text) }

    @Test("What it does not", arguments: ["", " ", "a b", "é", "a/b", "a\n", "a:1"])
    func refused(_ text: String) { #expect(NodeName(text) == nil) }

    @Test("Names have up to 128 bytes")
    func length() {
        #expect(NodeName(String(repeating: "x", count: 128)) != nil)
        #expect(NodeName(String(repeating: "x", count: 129)) == nil)
    }
}

import Testing

@testable import WeftGossip

@Suite("Patterns of tag filters")
struct TagPatternTests {
    @Test(arguments: [
        ("w.*", "web", true), ("w.*", "db", false), ("", "anything", true), ("eb", "web", true),
        ("^eb", "web", false), ("^web$", "web", true), ("^web$", "web1", false), ("a|b", "xbx", true),
        ("^(web|db)-[0-9]+$", "db-17", true), ("^(web|db)-[0-9]+$", "db-", false), ("^a{2,3}$", "aa", true),
        ("^a{2,3}$", "aaaa", false), ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true), ("a{,3}", "a{,3}", true),
        ("^\\d{3}$", "123", true), ("^\\D+$", "12a", false), ("^[^a-c]$", "d", true), ("^[^a-c]$", "b", false),
        ("^[]a]$", "]", true), ("^[a\\]]$", "]", true), ("^[a-]$", "-", true), ("(?i)^WEB$", "wEb", true),
        ("(?i)^[A-C]+$", "abC", true), ("^(?:ab)+$", "abab", true), ("^(?P<x>ab)?$", "", true),
        ("\\bweb\\b", "a web b", true),
        ("\\bweb\\b", "aweb", false), ("^a.c$", "a\nc", false), ("(?s)^a.c$", "a\nc", true), ("^\\x41\\.$", "A.", true),
        ("^é+$", "éé", true), ("a+?b", "aab", true), ("^(a*)*$", "aaa", true), ("^\\w+\\s\\S$", "ab c", true),
        ("^[\\d.]+$", "1.2", true), ("^[^\\d]+$", "ab", true), ("\\Aab\\z", "ab", true), ("x*", "", true),
    ])
    func matches(pattern: String, value: String, expected: Bool) throws {
        #expect(try #require(TagPattern(pattern)).matches(value) == expected)
    }

    @Test(arguments: [
        "(", ")", "a)", "[", "[]", "[b-a]", "*", "+a", "a**", "a{1001}", "a{3,2}", "\\", "\\q", "\\x4", "(?<>a)",
        "(?z)", "(?", "(?i",
        "[[:alpha:]]", "\\pL", "\\Qa\\E",
    ])
    func refuses(pattern: String) { #expect(TagPattern(pattern) == nil) }

    @Test func programsAreBounded() {
        #expect(TagPattern("((a{100}){100}){100}") == nil)
        #expect(TagPattern(String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000)) == nil)
        #expect(TagPattern(String(repeating: "a", count: 2000)) == nil)
    }

    /// The classic that takes a backtracking engine for ever.
    @Test func nothingTakesExponentialTime() throws {
        let pattern = try #require(
            TagPattern("^" + String(repeating: "a?", count: 60) + String(repeating: "a", count: 60) + "$")
        )
        #expect(pattern.matches(String(repeating: "a", count: 60)))
        #expect(try #require(TagPattern("^(a+)+$")).matches(String(repeating: "a", count: 500) + "b") == false)
    }

    @Test(arguments: 0..<50) func anyTextIsParsedOrRefused(seed: UInt64) {
        var random = WireRandom(seed: seed)
        let alphabet = Array("ab01(){}[]|*+?.^$\\,-:<>Pidwsxé")
        for _ in 0..<200 {
            let text = String((0..<random.count(30)).map { _ in alphabet[random.count(alphabet.count - 1)] })
            _ = TagPattern(text)?.matches("ab01é")
        }
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func rfcVectors(plain: String, encoded: String) { #expect(Base64.encode(Array(plain.utf8)) == encoded) }
}

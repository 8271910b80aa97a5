import Testing

@testable import WeftCLI

@Suite struct TextTests {
    @Test(
        "Sizes have one digit after the point and a unit that keeps them below 1024",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_258_291, "1.2 MiB"), (1_048_524, "1023.9 KiB"),
            (1_048_525, "1.0 MiB"), (1_073_741_824, "1.0 GiB"), (.max, "16.0 EiB"),
        ] as [(UInt64, String)]
    )
    func bytes(_ bytes: UInt64, _ text: String) { #expect(humanBytes(bytes) == text) }

    @Test(
        "Spans have two units at most, and odd ones do not crash",
        arguments: [
            (0, "0ms"), (0.0004, "0ms"), (0.012, "12ms"), (0.9994, "999ms"), (0.9996, "1.0s"), (9.94, "9.9s"),
            (9.96, "10s"), (59.4, "59s"), (59.6, "1m00s"), (192.4, "3m12s"), (3599.6, "1h00m"), (18180, "5h03m"),
            (86399.4, "23h59m"), (86399.5, "1d0h"), (1_051_200, "12d4h"), (-5, "0ms"), (-.infinity, "0ms"),
            (1e300, "104166666666d16h"), (.infinity, "104166666666d16h"), (.nan, "0ms"),
        ]
    )
    func durations(_ seconds: Double, _ text: String) { #expect(humanDuration(seconds: seconds) == text) }

    @Test(
        "Round-trip times have one digit after the point where hosts are near, and odd ones are left out",
        arguments: [
            (0, "<0.1ms"), (0.0499, "<0.1ms"), (0.05, "0.1ms"), (0.42, "0.4ms"), (9.94, "9.9ms"), (9.95, "10ms"),
            (123.4, "123ms"), (1200, "1.2s"), (-0.1, nil), (.nan, nil), (.infinity, "104166666666d16h"),
        ] as [(Double, String?)]
    )
    func roundTrips(_ milliseconds: Double, _ text: String?) {
        #expect(humanRoundTrip(milliseconds: milliseconds) == text)
    }

    @Test(
        "Counts are grouped by thousands",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (.min, "-9,223,372,036,854,775,808"),
        ]
    )
    func counts(_ count: Int, _ text: String) { #expect(humanCount(count) == text) }

    @Test(
        "The width of a text counts what a terminal shows",
        arguments: [
            ("", 0), ("abc", 3), ("café", 4), ("cafe\u{301}", 4), ("東京", 4), ("한글", 4), ("ｆ", 2), ("☕", 2), ("☕️", 2),
            ("👩‍👩‍👧", 2), ("√", 1), ("…", 1), ("\u{200b}", 0), ("🇩🇪", 2),
        ]
    )
    func widths(_ text: String, _ width: Int) { #expect(displayWidth(text) == width) }

    @Test(
        "Control characters never reach the terminal",
        arguments: [
            ("plain", "plain"), ("a\u{1b}[2Jb", "a\u{fffd}[2Jb"), ("a\nb\tc\r", "a b c "), ("\u{9b}31m", "\u{fffd}31m"),
            ("\u{7f}\0", "\u{fffd}\u{fffd}"), ("a\u{202e}b", "a\u{fffd}b"), ("ü東", "ü東"),
        ]
    )
    func controls(_ text: String, _ shown: String) { #expect(printable(text) == shown) }

    @Test(
        "A long name loses its middle",
        arguments: [
            ("postgresql@15-main.service", 26, "postgresql@15-main.service"),
            ("postgresql@15-main.service", 13, "postgr…ervice"), ("postgresql", 2, "p…"), ("postgresql", 1, "p"),
            ("postgresql", 0, ""), ("東京東京東京", 7, "東…京"), ("", 0, ""),
        ]
    )
    func eliding(_ text: String, _ width: Int, _ shown: String) {
        #expect(elided(text, to: width, ellipsis: "…") == shown)
    }

    @Test("No elided text is wider than its column", arguments: 0...30)
    func elidedWidth(_ width: Int) {
        for text in ["a-long-name-in-plain-letters.service", "東京東京東京東京東京東京東京東京", "cafe\u{301}☕☕☕☕☕☕☕☕☕☕☕☕☕☕"] {
            #expect(displayWidth(elided(text, to: width, ellipsis: "…")) <= width)
            #expect(displayWidth(elided(text, to: width, ellipsis: "...")) <= width)
        }
    }

    @Test("Sentences break at spaces, and a word that is too long stands alone")
    func wrapping() {
        #expect(wrapped("one two three", columns: nil) == ["one two three"])
        #expect(wrapped("one two three", columns: 7) == ["one two", "three"])
        #expect(wrapped("a verylongword b", columns: 4) == ["a", "verylongword", "b"])
        #expect(wrapped("", columns: 4) == [""])
        #expect(wrapped("      ", columns: 4) == [""])
    }

    @Test(
        "Colour needs a terminal and no NO_COLOR; signs need a UTF-8 locale",
        arguments: [
            (true, [:], true, false), (false, [:], false, false), (true, ["NO_COLOR": "1"], false, false),
            (true, ["NO_COLOR": ""], true, false), (true, ["TERM": "dumb"], false, false),
            (true, ["LANG": "C.UTF-8"], true, true), (true, ["LANG": "de_DE.utf8"], true, true),
            (true, ["LANG": "de_DE.UTF-8", "LC_ALL": "C"], true, false),
            (true, ["LANG": "C", "LC_CTYPE": "C.UTF-8", "LC_ALL": ""], true, true),
        ] as [(Bool, [String: String], Bool, Bool)]
    )
    func styles(_ isTerminal: Bool, _ environment: [String: String], _ colour: Bool, _ unicode: Bool) {
        let style = Style(isTerminal: isTerminal, terminalColumns: 10, environment: environment)
        #expect(style.hasColour == colour)
        #expect(style.hasUnicode == unicode)
        #expect(style.columns == (isTerminal ? 40 : nil))
    }
}

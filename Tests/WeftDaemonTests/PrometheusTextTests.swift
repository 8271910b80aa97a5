import Testing

@testable import WeftDaemon

@Suite("Prometheus text")
struct PrometheusTextTests {
    @Test("A family has one HELP and one TYPE line, then its samples, labels in the order given")
    func family() {
        var out = PrometheusText()
        out.family("weft_x_total", .counter, help: "What x is.")
        out.sample("weft_x_total", ["b": "1", "a": "2"], 3)
        out.sample("weft_x_total", [:], 4)
        out.single("weft_y", .gauge, help: "What y is.", 0.5)
        #expect(
            out.text == """
                # HELP weft_x_total What x is.
                # TYPE weft_x_total counter
                weft_x_total{b="1",a="2"} 3
                weft_x_total 4
                # HELP weft_y What y is.
                # TYPE weft_y gauge
                weft_y 0.5

                """
        )
    }

    @Test(
        "Numbers are written as Prometheus reads them",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e22, "1e+22"),
            (Double(Int64.max), "9.223372036854776e+18"), (Double(UInt64.max), "1.8446744073709552e+19"),
            (1e-7, "1e-07"), (.leastNonzeroMagnitude, "5e-324"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
            (Double(1 << 53), "9007199254740992"),
        ] as [(Double, String)]
    )
    func numbers(_ value: Double, _ text: String) throws {
        var out = PrometheusText()
        out.single("x", .gauge, help: "h", value)
        #expect(out.text.hasSuffix("\nx \(text)\n"))
        let read = try #require(Exposition(out.text)["x"]?.samples.first?.value)
        #expect(read == value || (read.isNaN && value.isNaN))
    }

    @Test(
        "Any label value comes back as it was",
        arguments: [
            "", "plain", "a\\b", "a\"b", "a\nb", "\r\n", "a\r\nb", "\\n", "\\\\\"\n", "\"\u{301}", "\\\u{301}",
            "\n\u{301}", "}", "{x=\"y\"} 1", "\u{1f4a5}", "caf\u{e9}", "\t\u{7}\u{1b}", "\u{85}\u{2028}", "\"", "\\",
        ]
    )
    func labels(_ value: String) throws {
        var out = PrometheusText()
        out.family("x", .gauge, help: "h")
        out.sample("x", ["label": value, "next": "n"], 1)
        let sample = try #require(Exposition(out.text)["x"]?.samples.first)
        #expect(sample.labels.count == 2 && sample.labels["next"] == "n")
        // By scalars: canonically equal is not equal here.
        #expect(sample.labels["label"].map { Array($0.unicodeScalars) } == Array(value.unicodeScalars))
    }

    @Test(
        "The reader that these tests trust refuses what is malformed",
        arguments: [
            "", "x 1\n", "# HELP x h\nx 1\n", "# HELP x h\n# TYPE x gauge\nx 1",
            "# HELP x h\n# TYPE x gauge\nx 1\nx 2\n",
            "# HELP x h\n# TYPE x gauge\ny 1\n", "# HELP x h\n# TYPE x gauge\nx{a=\"b} 1\n", "# HELP x h\n",
            "# HELP x h\n# TYPE x gauge\nx{a=\"\"b\"} 1\n", "# HELP x h\n# TYPE x gauge\nx nan\n",
            "# HELP x h\n# TYPE x gauge\n# HELP x h\n# TYPE x gauge\n", "# TYPE x gauge\n",
            "# HELP x h\n# TYPE x gauge\nx{a=\"1\",a=\"2\"} 1\n", "# HELP x h\n# TYPE x gauge\n\n",
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: Exposition.Malformed.self) { try Exposition(text) }
    }
}

import Testing
import WeftProxy

/// The cases of W3C Trace Context, section 3.2, and of its validation suite (w3c/trace-context, test/test.py).
@Suite struct TraceContextTests {
    private static let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

    private func read(_ text: String) -> TraceContext? { TraceContext(Array(text.utf8).span.bytes) }

    @Test func reads() throws {
        let context = try #require(read("00-\(Self.ids)-01"))
        #expect(context.traceHigh == 0x0af7_6519_16cd_43dd)
        #expect(context.traceLow == 0x8448_eb21_1c80_319c)
        #expect(context.span == 0xb7ad_6b71_6920_3331)
        #expect(context.isSampled)
        #expect(context.text == "00-\(Self.ids)-01")
    }

    @Test(
        "Of the flags, what has a meaning is kept",
        arguments: [
            ("00-\(ids)-00", "00-\(ids)-00"), ("00-\(ids)-02", "00-\(ids)-02"), ("00-\(ids)-03", "00-\(ids)-03"),
            ("00-\(ids)-ff", "00-\(ids)-03"), ("00-\(ids)-fc", "00-\(ids)-00"),
            // Later versions, read as far as this one knows them and written as version 00.
            ("01-\(ids)-01", "00-\(ids)-01"), ("cc-\(ids)-01-what-the-future-will-be-like", "00-\(ids)-01"),
            ("fe-\(ids)-03-", "00-\(ids)-01"), ("01-\(ids)-fe", "00-\(ids)-00"),
        ]
    )
    func isWrittenAs(_ text: String, _ written: String) {
        #expect(read(text)?.text == written)
    }

    @Test(arguments: [
        "", "0", "00", "00-", "00-\(ids)", "00-\(ids)-", "00-\(ids)-0", "00-\(ids)-1x", "00-\(ids)-0g",
        // version
        "ff-\(ids)-01", "0-\(ids)-01", "000-\(ids)-01", "-\(ids)-01", ".0-\(ids)-01", "0.-\(ids)-01", "0A-\(ids)-01",
        // version 00 ends behind the flags, later ones go on with a hyphen
        "00-\(ids)-01-", "00-\(ids)-01-x", "00-\(ids)-01.", "00-\(ids)-010", "01-\(ids)-010", "01-\(ids)-01.x",
        // all zeros
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        // capital letters and others that are no digits
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", "00-\(ids)-0F",
        "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333.-01",
        // too short, too long
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c1-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033311-01",
        // separators and white space
        "00_\(ids)-01", "00-\(ids)_01", "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", " 00-\(ids)-01",
        "00-\(ids)-01 ", "00-\(ids)-01\t",
    ])
    func refuses(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test func halfAnIDMayBeZero() {
        #expect(read("00-00000000000000008448eb211c80319c-b7ad6b7169203331-01") != nil)
        #expect(read("00-0af7651916cd43dd0000000000000000-b7ad6b7169203331-01") != nil)
    }

    @Test func everyPrefixIsRefused() {
        let whole = Array("00-\(Self.ids)-01".utf8)
        for length in 0..<whole.count { #expect(TraceContext(Array(whole.prefix(length)).span.bytes) == nil) }
        #expect(TraceContext(whole.span.bytes) != nil)
    }

    @Test func aNewTraceIsReadAsItWasWritten() throws {
        var rng = SplitMix64(seed: 8)
        for isSampled in [true, false] {
            let made = TraceContext(isSampled: isSampled, using: &rng)
            #expect(made.isSampled == isSampled)
            #expect(read(made.text) == made)
            #expect(made.text.utf8.count == 55)
            #expect(made.text.hasSuffix(isSampled ? "-03" : "-02"), "made at random, and says so")
            let child = made.child(using: &rng)
            #expect((child.traceHigh, child.traceLow) == (made.traceHigh, made.traceLow))
            #expect(child.span != made.span)
            #expect(child.isSampled == isSampled)
        }
    }

    /// A source of zeros alone.
    private struct Zeros: RandomNumberGenerator {
        mutating func next() -> UInt64 { 0 }
    }

    @Test func idsAreNeverZero() {
        var rng = Zeros()
        let made = TraceContext(isSampled: false, using: &rng)
        #expect((made.traceHigh, made.traceLow, made.span) == (0, 1, 1))
        #expect(made.child(using: &rng).span == 1)
    }
}

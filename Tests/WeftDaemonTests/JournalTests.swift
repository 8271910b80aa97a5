import Glibc
import Logging
import Testing

@testable import WeftDaemon

@Suite("Logging to the journal", .timeLimit(.minutes(3)))
struct JournalTests {
    private func withJournal(
        level: Logger.Level = .trace,
        _ body: (Logger, JournalReader, Journal) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let reader = try JournalReader(folder + "/journal")
            let journal = try #require(Journal(path: folder + "/journal"))
            try body(Self.logger(journal, level: level), reader, journal)
        }
    }

    private static func logger(_ journal: Journal?, level: Logger.Level = .trace) -> Logger {
        Logger(label: "weftd") { JournalLogHandler(label: $0, level: level, journal: journal) }
    }

    @Test("A record has its priority, its sender, a text for people and a field for each value")
    func fields() async throws {
        try await withJournal { logger, reader, _ in
            logger.warning("unit gone", metadata: ["unit": "web.service", "count": "\(3)", "a-b.c": "x=y"])
            let fields = try reader.fields().map { "\($0.name)=\($0.text)" }
            #expect(
                fields == [
                    "PRIORITY=4", "SYSLOG_IDENTIFIER=weftd", "MESSAGE=unit gone: a-b.c=x=y count=3 unit=web.service",
                    "WEFT_A_B_C=x=y", "WEFT_COUNT=3", "WEFT_UNIT=web.service",
                ]
            )
            logger.info("nothing more")
            #expect(try reader.fields().map(\.text) == ["6", "weftd", "nothing more"])
        }
    }

    @Test(
        "Levels are syslog's priorities",
        arguments: [
            (.trace, "7"), (.debug, "7"), (.info, "6"), (.notice, "5"), (.warning, "4"), (.error, "3"),
            (.critical, "2"),
        ] as [(Logger.Level, String)]
    )
    func priorities(_ level: Logger.Level, _ priority: String) async throws {
        try await withJournal { logger, reader, _ in
            logger.log(level: level, "text")
            let fields = try reader.fields()
            #expect(fields.first == .init(name: "PRIORITY", value: Array(priority.utf8)))
        }
    }

    @Test("What is below the level is not sent")
    func level() async throws {
        try await withJournal(level: .notice) { logger, reader, _ in
            logger.info("too low")
            logger.notice("just right")
            let fields = try reader.fields()
            #expect(fields.last?.text == "just right")
            #expect(!reader.hasDatagram)
        }
    }

    @Test("A logger's own values are sent too; a record's go before them")
    func loggerMetadata() async throws {
        try await withJournal { logger, reader, _ in
            var logger = logger
            logger[metadataKey: "loop"] = "1"
            logger[metadataKey: "unit"] = "a"
            #expect(logger[metadataKey: "loop"] == "1")
            logger.info("text", metadata: ["unit": "b"])
            let fields = try reader.fields()
            #expect(fields.dropFirst(2).map(\.text) == ["text: loop=1 unit=b", "1", "b"])
        }
    }

    @Test("An error that a record carries is one of its fields")
    func error() async throws {
        try await withJournal { logger, reader, _ in
            logger.error("failed", error: TestFailure("the cause"))
            let fields = try reader.fields()
            #expect(fields.last == .init(name: "WEFT_ERROR", value: Array("the cause".utf8)))
            #expect(fields[2].text == "failed: error=the cause")
        }
    }

    @Test("Values with line breaks are sent by length, and no value can pass for a field", arguments: ["\n", "\r\n"])
    func lineBreaks(_ lineBreak: String) async throws {
        try await withJournal { logger, reader, _ in
            let value = "first\(lineBreak)PRIORITY=0\(lineBreak)"
            logger.info("two\(lineBreak)lines", metadata: ["x": "\(value)", "y": "z"])
            let fields = try reader.fields()
            #expect(fields.map(\.name) == ["PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE", "WEFT_X", "WEFT_Y"])
            #expect(fields.map(\.text).first == "6")
            #expect(fields[2].text == "two\(lineBreak)lines: x=\(value) y=z")
            #expect(fields[3].text == value)
        }
    }

    @Test(
        "Field names are what the journal takes, 64 bytes at most",
        arguments: [
            ("unit", "WEFT_UNIT"), ("hb.request.id", "WEFT_HB_REQUEST_ID"), ("_x", "WEFT__X"), ("1", "WEFT_1"),
            ("", "WEFT_"), ("a=b\nc", "WEFT_A_B_C"), ("\u{e9}", "WEFT___"), ("\u{df}", "WEFT_SS"),
            (String(repeating: "n", count: 100), "WEFT_" + String(repeating: "N", count: 59)),
        ]
    )
    func names(_ key: String, _ name: String) async throws {
        try await withJournal { logger, reader, _ in
            logger.info("text", metadata: [key: "v"])
            let fields = try reader.fields()
            #expect(fields.last == .init(name: name, value: Array("v".utf8)))
        }
    }

    @Test("A long record is cut to what a datagram holds, between characters", arguments: ["", "x", "xx", "\n"])
    func long(_ head: String) async throws {
        try await withJournal { logger, reader, _ in
            let text = head + String(repeating: "\u{20ac}", count: 100_000)
            logger.info("\(text)", metadata: ["a": "1", "b": "\(text)"])
            let datagram = try reader.datagram()
            #expect((64 * 1024 - 16...64 * 1024 + 256).contains(datagram.count))
            let fields = try JournalReader.fields(of: datagram)
            #expect(fields.map(\.name) == ["PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE", "WEFT_A", "WEFT_B"])
            #expect(String(validating: fields[2].value, as: UTF8.self) != nil)
            #expect(text.hasPrefix(fields[2].text) && fields[2].value.count > 65_000)
        }
    }

    @Test("Very many values are sent in one record that a journal can take")
    func manyValues() async throws {
        try await withJournal { logger, reader, _ in
            let metadata = Logger.Metadata(
                uniqueKeysWithValues: (0..<2000).map { ("key-\($0)", "\(String(repeating: "v", count: 50))") }
            )
            logger.info("text", metadata: metadata)
            let datagram = try reader.datagram()
            #expect(datagram.count <= 64 * 1024 + 256)
            #expect(try JournalReader.fields(of: datagram).count > 10)
        }
    }

    @Test("Without a journal there is none")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            #expect(Journal(path: folder + "/none") == nil)
            #expect(Journal(path: folder) == nil)
            #expect(Journal(path: folder + "/" + String(repeating: "x", count: 200)) == nil)
        }
    }

    @Test("A journal that is started anew gets the records that follow")
    func restart() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/journal"
            var reader: JournalReader? = try JournalReader(path)
            let journal = try #require(Journal(path: path))
            #expect(journal.send(priority: 6, message: "before", fields: []))
            #expect(try reader?.fields().last?.text == "before")
            reader = nil
            #expect(!journal.send(priority: 6, message: "lost", fields: []))
            unlink(path)
            let next = try JournalReader(path)
            #expect(journal.send(priority: 6, message: "after", fields: []))
            #expect(try next.fields().last?.text == "after")
        }
    }

    @Test("A journal that does not read loses records, and nobody waits or says it elsewhere")
    func full() async throws {
        try await withJournal { _, reader, journal in
            for number in 0..<5000 {
                // False would send the record to standard error, which in a service is the same journal, and waits.
                #expect(journal.send(priority: 6, message: "\(number)", fields: []))
            }
            let first = try reader.fields()
            #expect(first.last?.text == "0")
        }
    }

    @Test("Without a journal lines go to standard error, with their priority")
    func standardError() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            var logger = Logger(label: "weftd") { JournalLogHandler(label: $0, level: .info, journal: nil) }
            logger.logLevel = .notice
            logger.info("not this")
            logger.error("text", metadata: ["b": "2", "a": "1"])
            exit(0)
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("<3>weftd: text: a=1 b=2\n"))
        #expect(!text.contains("not this"))
    }
}

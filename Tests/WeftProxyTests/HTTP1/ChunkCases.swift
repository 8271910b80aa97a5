import WeftProxy

/// Chunked bodies, without the head in front.
enum ChunkCases {
    /// Each is forwarded as it is.
    static let accepted = [
        "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "a\r\n0123456789\r\n0\r\n\r\n",
        "A\r\n0123456789\r\n0\r\n\r\n", "0005\r\nhello\r\n00\r\n\r\n", "0000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;a\r\nhello\r\n0;b\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5;a=\"b;c \\\" \t\";d=e\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\"\r\nhello\r\n0\r\n\r\n", "2\r\n\r\n\r\n0\r\n\r\n", "0\r\nX: y\r\n\r\n",
        "0\r\nX:\r\nY: a b\tc\r\ngrpc-status: 0\r\n\r\n", "1\r\nx\r\n0\r\nX: \r\n\r\n", "0\r\nX: \u{e9}\r\n\r\n",
        "7\r\n0\r\n\r\nGE\r\n0\r\n\r\n",
    ]

    static let refused: [(text: String, reason: FramingError)] = [
        ("\r\n", .malformedChunkSize), ("\n", .bareLineFeed), (";a\r\n", .malformedChunkSize),
        ("x\r\n", .malformedChunkSize), ("-1\r\n", .malformedChunkSize), ("+5\r\n", .malformedChunkSize),
        ("0x5\r\n", .malformedChunkSize), (" 5\r\n", .malformedChunkSize), ("5 \r\n", .malformedChunkSize),
        ("5\t\r\n", .malformedChunkSize), ("5 ;a\r\n", .malformedChunkSize), ("5,\r\n", .malformedChunkSize),
        ("5h\r\n", .malformedChunkSize), ("5_0\r\n", .malformedChunkSize), ("5.\r\n", .malformedChunkSize),
        ("5\u{0}\r\n", .malformedChunkSize), ("\u{b5}\r\n", .malformedChunkSize), ("5\u{a0}\r\n", .malformedChunkSize),
        ("5\n", .bareLineFeed), ("5\nhello\n0\n\n", .bareLineFeed), ("5\rx", .bareCarriageReturn),
        ("5\r\r\n", .bareCarriageReturn), ("00000000000000005\r\n", .chunkTooLarge),
        ("8000000000000000\r\n", .chunkTooLarge), ("ffffffffffffffff\r\n", .chunkTooLarge),
        ("10000000000000000\r\n", .chunkTooLarge), ("fffffffffffffffffffff\r\n", .chunkTooLarge),
        ("5;\r\n", .malformedChunkExtension), ("5;;a\r\n", .malformedChunkExtension),
        ("5; a\r\n", .malformedChunkExtension), ("5;a \r\n", .malformedChunkExtension),
        ("5;a =b\r\n", .malformedChunkExtension), ("5;a= b\r\n", .malformedChunkExtension),
        ("5;a=\r\n", .malformedChunkExtension), ("5;a=\"b\r\n", .malformedChunkExtension),
        ("5;a=\"b\"c\r\n", .malformedChunkExtension), ("5;a=b\"\r\n", .malformedChunkExtension),
        ("5;a\n", .bareLineFeed), ("5;a=\"\n\"\r\n", .bareLineFeed), ("5;a\rb\r\n", .bareCarriageReturn),
        ("5;a=\"\\\r\n", .malformedChunkExtension), ("5;a\u{0}\r\n", .malformedChunkExtension),
        ("5;a=\u{e9}\r\n", .malformedChunkExtension),
        ("5\r\nhelloX\r\n", .malformedChunkEnd), ("5\r\nhello\n0\r\n\r\n", .malformedChunkEnd),
        ("5\r\nhello0\r\n\r\n", .malformedChunkEnd), ("5\r\nhello\rX", .malformedChunkEnd),
        ("3\r\nhello\r\n", .malformedChunkEnd), ("5\r\nhello\r\n\r\n", .malformedChunkSize),
        ("0\r\nX : y\r\n\r\n", .whitespaceBeforeColon), ("0\r\n X: y\r\n\r\n", .foldedLine),
        ("0\r\nX: y\r\n z\r\n\r\n", .foldedLine), ("0\r\nX\r\n\r\n", .missingColon),
        ("0\r\n: y\r\n\r\n", .emptyFieldName),
        ("0\r\nX: y\n\r\n", .bareLineFeed), ("0\r\n\n", .bareLineFeed), ("0\r\n\rX", .bareCarriageReturn),
        ("0\r\nX: \u{0}\r\n\r\n", .nul), ("0\r\nX\u{0}: y\r\n\r\n", .nul), ("0\r\nX: \u{1}\r\n\r\n", .controlCharacter),
        ("0\r\nX(: y\r\n\r\n", .malformedFieldName), ("0\r\nX: y\rZ\r\n\r\n", .bareCarriageReturn),
        ("0\r\nGET / HTTP/1.1\r\n", .whitespaceBeforeColon), ("0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer),
        ("0\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n", .forbiddenTrailer),
        ("0\r\nHOST: b\r\n\r\n", .forbiddenTrailer), ("0\r\nConnection: close\r\n\r\n", .forbiddenTrailer),
    ]
}

import Testing
import WeftCore

@Suite struct HTTPDateTests {
    @Test(arguments: [
        // RFC 9110, section 5.6.7
        (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (951_827_696_999, "Tue, 29 Feb 2000 12:34:56 GMT"),
        (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799_999, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func isWrittenAsTheRFCSays(_ milliseconds: Int64, _ text: String) {
        #expect(WallTime(millisecondsSince1970: milliseconds).httpDate == text)
    }
}

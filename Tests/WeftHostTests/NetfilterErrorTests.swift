import Glibc
import Testing

@testable import WeftHost

struct NetfilterErrorTests {
    private func refusal(_ code: Int32) -> NetfilterError.Refusal {
        NetfilterError.Refusal(message: "rule weft out_nat meta l4proto tcp", code: code, kernelText: nil)
    }

    @Test(arguments: [
        ([EPERM], true, NetfilterError.Cause.notPermitted, "CAP_NET_ADMIN"),
        ([EPERM, EPERM], false, .ownedByAnother, "another weftd"),
        ([EPERM, ENOENT], false, .unsupported, "weft check"),
        ([EOPNOTSUPP], false, .unsupported, "nft delete table inet weft"),
        ([EEXIST], false, .conflict, "weft on"),
        ([EMSGSIZE], true, .tooLarge, "CAP_NET_ADMIN"),
        ([ENOBUFS], true, .exhausted, "try again"),
        ([4000], false, .other, "journalctl -k"),
    ])
    func refusalsAreExplainedWithARemedy(codes: [Int32], isWhole: Bool, cause: NetfilterError.Cause, remedy: String) {
        let error = NetfilterError(operation: "installing", refusals: codes.map(refusal), isWhole: isWhole)
        #expect(error.cause == cause)
        #expect(error.remedy.contains(remedy))
        #expect(error.description.contains("rule weft out_nat meta l4proto tcp"))
    }

    @Test func manyRefusalsAreShortened() {
        let error = NetfilterError(
            operation: "installing",
            refusals: Array(repeating: refusal(ENOENT), count: 50),
            isWhole: false
        )
        #expect(error.refusals.count == 50)
        #expect(error.description.contains("and 47 more"))
    }

    @Test func failedCallNamesItselfAndItsCode() {
        let error = NetfilterError(operation: "opening", failure: NetlinkFailure(call: "send", code: EMSGSIZE))
        #expect(error.cause == .tooLarge)
        #expect(error.reason.hasPrefix("send: EMSGSIZE"))
    }
}

struct NetlinkAnswerTests {
    /// An NLMSG_ERROR for message 7 with error -2, capped, and the kernel's words.
    private let answer: [UInt8] =
        [48, 0, 0, 0, 2, 0, 0, 3, 9, 0, 0, 0, 1, 0, 0, 0]
        + [254, 255, 255, 255, 20, 0, 0, 0, 0, 10, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0]
        + [9, 0, 1, 0] + Array("nope".utf8) + [0, 0, 0, 0]

    @Test func errorIsReadWithItsText() throws {
        var seen = 0
        answer.withUnsafeBytes { bytes in
            NetlinkAnswer.each(in: bytes) { answer in
                seen += 1
                #expect(answer.errorCode == ENOENT)
                #expect(answer.refusedSequence == 7)
                #expect(answer.sequence == 9)
                #expect(answer.kernelText == "nope")
            }
        }
        #expect(seen == 1)
    }

    /// Every cut and every single wrong byte is survived, and nothing beyond the datagram is read.
    @Test func damagedAnswersAreSurvived() {
        func read(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { raw in
                NetlinkAnswer.each(in: raw) { answer in
                    _ = (answer.errorCode, answer.refusedSequence, answer.kernelText)
                    NetlinkAttributes(answer.payload).each { _, value in
                        #expect(value.count <= bytes.count)
                    }
                }
            }
        }
        for length in 0...answer.count { read(Array(answer.prefix(length))) }
        for index in answer.indices {
            for value: UInt8 in [0, 1, 3, 4, 15, 16, 127, 128, 255] {
                var damaged = answer
                damaged[index] = value
                read(damaged)
            }
        }
    }
}

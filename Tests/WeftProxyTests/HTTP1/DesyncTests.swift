import Testing
import WeftProxy
import WeftTestRig

/// Request smuggling against weft's machine; SmugglingTests tries the same on real servers.
@Suite struct DesyncTests {
    @Test(arguments: DesyncAttack.refused + DesyncAttack.tooLarge)
    func attackInTheHeadReachesNobody(_ attack: DesyncAttack) {
        for pieces in pieces(attack) {
            let rig = carried(pieces)
            #expect(rig.upstreams.isEmpty)
            #expect(rig.clientEnd == .ended && rig.endings.count == 1)
            #expect(String(decoding: rig.toClient, as: UTF8.self).hasPrefix("HTTP/1.1 4"))
        }
    }

    /// What was good of the body has been sent, and the upstream is reset: for it there is no end, and no other request.
    @Test(arguments: DesyncAttack.refusedInBody + DesyncAttack.tooLargeInBody)
    func attackInTheBodyHasNoEnd(_ attack: DesyncAttack) {
        for pieces in pieces(attack) {
            let rig = carried(pieces)
            #expect(rig.upstreams.map(\.end) == [.aborted])
            #expect(!String(decoding: rig.upstreams[0].received, as: UTF8.self).contains("GET /smug"))
            #expect(rig.clientEnd == .ended && rig.endings.count == 1)
        }
    }

    /// What is sound stays whole: the second request is a body to weft, and in it to whoever is behind.
    @Test(arguments: DesyncAttack.sound)
    func requestInABodyIsABody(_ attack: DesyncAttack) {
        let rig = carried(pieces(attack)[0])
        #expect(
            rig.upstreams.map { String(decoding: $0.received, as: UTF8.self) }
                == [attack.stream, DesyncAttack.smuggled()]
        )
    }

    /// The client's bytes at once, and one by one.
    private func pieces(_ attack: DesyncAttack) -> [[[UInt8]]] {
        let bytes = latin1(attack.stream + DesyncAttack.smuggled())
        return [[bytes], bytes.map { [$0] }]
    }

    /// Carries a client's bytes to upstreams that answer every request.
    private func carried(_ pieces: [[UInt8]]) -> ExchangeRig {
        var rig = ExchangeRig()
        for piece in pieces {
            rig.clientSends(piece)
            while rig.pending != nil {
                rig.attach()
                if !rig.machine.wantsClient { rig.upstreamSends(latin1(ExchangeMachineTests.ok)) }
            }
        }
        return rig
    }
}

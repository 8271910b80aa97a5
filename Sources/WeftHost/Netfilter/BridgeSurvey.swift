internal import CNetfilter
internal import CWeftLinux
internal import Glibc
package import WeftCapture
internal import WeftCore

/// Finds the bridges on which tproxy does not work.
package enum BridgeSurvey {
    /// Bridges whose traffic br_netfilter leads through the IP hooks, for the whole host or by a setting of their own:
    /// what tproxy takes there is lost (capture.md section 8), so that inbound capture has to skip them. Sorted.
    package static func bridgesUnderNetfilter() throws(NetfilterError) -> [InterfaceName] {
        let isGlobal = ["iptables", "ip6tables"].contains { isOn("/proc/sys/net/bridge/bridge-nf-call-\($0)") }
        return try bridges().filter { isGlobal || $0.passesThroughIP }.map(\.name).sorted()
    }

    private struct Bridge {
        let name: InterfaceName
        let passesThroughIP: Bool
    }

    private static func bridges() throws(NetfilterError) -> [Bridge] {
        let routing = try HostRouting()
        // struct ifinfomsg: 16 bytes, all zero for "every interface".
        let request = RouteMessage(
            RTM_GETLINK,
            flags: NLM_F_ROOT | NLM_F_MATCH,
            sequence: routing.connection.takeSequence(),
            fixed: [UInt8](repeating: 0, count: 16)
        )
        var found: [Bridge] = []
        do {
            // Interfaces that come and go meanwhile are seen the next time.
            _ = try routing.connection.dump(request.bytes, sequence: request.sequence) { answer in
                if let bridge = bridge(answer) { found.append(bridge) }
            }
        } catch {
            throw NetfilterError(operation: "listing bridges", failure: error)
        }
        return found
    }

    private static func bridge(_ answer: NetlinkAnswer) -> Bridge? {
        guard answer.payload.count >= 16 else { return nil }
        let attributes = NetlinkAttributes(UnsafeRawBufferPointer(rebasing: answer.payload[16...]))
        guard let information = attributes.first(Int(IFLA_LINKINFO)).map(NetlinkAttributes.init),
            let kind = information.first(Int(IFLA_INFO_KIND)),
            kind.prefix(while: { $0 != 0 }).elementsEqual("bridge".utf8),
            let name = attributes.first(Int(IFLA_IFNAME))
                .flatMap({ InterfaceName(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)) })
        else { return nil }
        let settings = information.first(Int(IFLA_INFO_DATA)).map(NetlinkAttributes.init)
        let passes = [IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES].contains { settings?.number(Int($0)) == 1 }
        return Bridge(name: name, passesThroughIP: passes)
    }

    private static func isOn(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var digit: UInt8 = 0
        return read(descriptor, &digit, 1) == 1 && digit == UInt8(ascii: "1")
    }
}

internal import CNetfilter
internal import CWeftLinux
internal import Glibc
internal import WeftCapture
internal import WeftCore

extension HostRouting {
    /// Takes away every route and rule that carries weft's protocol number, and the listener's address.
    ///
    /// - Returns: how many things there were.
    @discardableResult
    package func remove() throws(NetfilterError) -> Int {
        var count = 0
        for family in [IPFamily.v4, .v6] {
            // Rules first: without them the return route is unreachable and harmless.
            count += try removeAll(
                RTM_GETRULE,
                RTM_DELRULE,
                family,
                fixed: RouteMessage.rule(family),
                isOurs: { attributes, _ in attributes.number(Int(FRA_PROTOCOL)) == UInt32(CaptureRouting.protocolNumber)
                }
            )
            count += try removeAll(
                RTM_GETROUTE,
                RTM_DELROUTE,
                family,
                fixed: RouteMessage.route(family, destinationLength: 0, scope: 0, kind: 0, protocolNumber: 0),
                isOurs: { _, fixed in fixed[5] == CaptureRouting.protocolNumber }
            )
        }
        let code = try request("removing address \(CaptureAddress.v6)") { Self.addressMessage(RTM_DELADDR, $0) }
        switch code {
        case 0: return count + 1
        case EADDRNOTAVAIL, ENODEV, EAFNOSUPPORT, EOPNOTSUPP, EINVAL: return count
        default: throw NetfilterError(routing: "removing address \(CaptureAddress.v6)", code: code)
        }
    }

    /// Deletes what a dump gives and `isOurs` knows, by sending each back as it came.
    private func removeAll(
        _ get: Int,
        _ delete: Int,
        _ family: IPFamily,
        fixed: [UInt8],
        isOurs: (NetlinkAttributes, UnsafeRawBufferPointer) -> Bool
    ) throws(NetfilterError) -> Int {
        let operation = "removing weft's routes and rules (\(family.label))"
        var found: [RouteMessage] = []
        let request = RouteMessage(
            get,
            flags: NLM_F_ROOT | NLM_F_MATCH,
            sequence: connection.takeSequence(),
            fixed: fixed
        )
        do {
            // An answer that changed underneath is good enough: nobody else adds or removes what is weft's.
            _ = try connection.dump(request.bytes, sequence: request.sequence) { answer in
                // rtmsg and fib_rule_hdr are both 12 bytes. The kernel's copies of routes (RTM_F_CLONED) go by
                // themselves.
                guard answer.payload.count >= 12 else { return }
                let attributes = NetlinkAttributes(UnsafeRawBufferPointer(rebasing: answer.payload[12...]))
                guard answer.payload[0] == family.addressFamily, isOurs(attributes, answer.payload) else { return }
                found.append(RouteMessage(delete, sequence: connection.takeSequence(), contentsOf: answer))
            }
        } catch {
            guard family == .v6, error.code == EAFNOSUPPORT || error.code == EOPNOTSUPP else {
                throw NetfilterError(operation: operation, failure: error)
            }
            return 0  // Without IPv6 there is nothing to remove.
        }
        for message in found {
            let code: Int32
            do {
                code = try connection.request(message.bytes, sequence: message.sequence)
            } catch {
                throw NetfilterError(operation: operation, failure: error)
            }
            guard code == 0 || code == ESRCH || code == ENOENT else {
                throw NetfilterError(routing: operation, code: code)
            }
        }
        return found.count
    }
}

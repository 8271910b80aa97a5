internal import Glibc
internal import Logging
internal import WeftCapture
internal import WeftCore
internal import WeftHost
internal import WeftTransport

/// What outlives a weftd process in systemd's fd store: the netlink socket that owns the capture rules, and the listeners
/// in whose backlogs captured connections wait. The next process takes them over and goes on where the last one ended.
struct HandedOver {
    /// The names under which the store keeps them.
    private static let netlinkName = "weft-netlink"

    private struct Place {
        let name: String
        let kind: CaptureListener.Kind
        let address: NetworkAddress
    }

    private static func places(tunnelPort: UInt16) -> [Place] {
        [
            Place(
                name: "weft-outbound-4",
                kind: .outbound,
                address: NetworkAddress(CaptureAddress.v4, port: CapturePort.outbound)
            ),
            Place(
                name: "weft-outbound-6",
                kind: .outbound,
                address: NetworkAddress(CaptureAddress.v6, port: CapturePort.outbound)
            ),
            Place(
                name: "weft-inbound-4",
                kind: .inbound,
                address: NetworkAddress(CaptureAddress.v4, port: CapturePort.inbound)
            ),
            Place(
                name: "weft-inbound-6",
                kind: .inbound,
                address: NetworkAddress(CaptureAddress.inboundV6, port: CapturePort.inbound)
            ),
            Place(name: "weft-tunnel-4", kind: .tunnel, address: NetworkAddress(.anyV4, port: tunnelPort)),
            Place(name: "weft-tunnel-6", kind: .tunnel, address: NetworkAddress(.anyV6, port: tunnelPort)),
        ]
    }

    let session: NetfilterSession
    let listeners: [CaptureListener]
    /// Why other hosts cannot open tunnels to this one, if so; everything else works without.
    private(set) var tunnelFailure: String?

    /// Takes over what there is, opens what is missing, and gives systemd copies of what is new.
    ///
    /// The netlink socket goes to the store first: systemd closes the newest first, so that the listeners' waiting
    /// connections are reset while the rules that translate them still stand. IPv6 listeners are left out on a host
    /// without IPv6.
    init(notifications: DaemonNotifications, tunnelPort: UInt16, logger: Logger) throws {
        var inherited = Dictionary(
            try InheritedDescriptors.take().map { ($0.name, $0.descriptor) },
            uniquingKeysWith: { first, _ in first }
        )
        if let descriptor = inherited.removeValue(forKey: Self.netlinkName) {
            session = try NetfilterSession(adopting: descriptor)
            logger.info("took over the capture rules of the process before")
        } else {
            session = try NetfilterSession()
            notifications.store(session.descriptor, name: Self.netlinkName)
        }
        var listeners: [CaptureListener] = []
        for place in Self.places(tunnelPort: tunnelPort) {
            if let descriptor = inherited.removeValue(forKey: place.name), Self.isStill(place, descriptor) {
                listeners.append(CaptureListener(kind: place.kind, address: place.address, adopting: descriptor))
                continue
            }
            do {
                let listener = try CaptureListener(kind: place.kind, address: place.address)
                notifications.store(listener.descriptor, name: place.name)
                listeners.append(listener)
            } catch  where place.address.ip.family == .v6 && error.isMissingFamily {
                logger.notice("no IPv6 on this host", metadata: ["listener": "\(place.name)"])
            } catch  where place.kind == .tunnel {
                tunnelFailure = "\(error)"
                logger.error("no tunnel port", metadata: ["address": "\(place.address)", "error": "\(error)"])
            } catch {
                throw DaemonError.listener(address: place.address.description, reason: "\(error)")
            }
        }
        self.listeners = listeners
        for (name, descriptor) in inherited {
            logger.warning("systemd handed over a descriptor that weftd does not know", metadata: ["name": "\(name)"])
            close(descriptor)
        }
    }
}

extension HandedOver {
    /// Whether an inherited listener is where it should be; one of another port, from before the configuration changed,
    /// is closed.
    private static func isStill(_ place: Place, _ descriptor: CInt) -> Bool {
        if place.kind != .tunnel { return true }
        if (try? RawSocket(descriptor).localAddress())?.port == place.address.port { return true }
        close(descriptor)
        return false
    }
}

extension SocketError {
    /// IPv6 is not in this kernel, or switched off.
    fileprivate var isMissingFamily: Bool { code == EAFNOSUPPORT || code == EADDRNOTAVAIL }
}

package import WeftCore

/// All endpoints of one service at one port: what a virtual address and port stand for.
package final class EndpointGroup: Sendable {
    /// What a group is known by while its endpoints come and go.
    package struct Key: Hashable, Sendable {
        package let service: ServiceName
        package let port: UInt16
    }

    package let key: Key
    /// Never empty: the one on this host first, the others by node.
    package let endpoints: [Endpoint]

    init(service: ServiceName, port: UInt16, endpoints: [Endpoint]) {
        precondition(!endpoints.isEmpty, "\(service):\(port) has no endpoints and needs no group")
        self.key = Key(service: service, port: port)
        self.endpoints = endpoints
    }

    package var service: ServiceName { key.service }

    package var port: UInt16 { key.port }
}

extension EndpointGroup: Equatable {
    package static func == (left: EndpointGroup, right: EndpointGroup) -> Bool {
        left === right
            || left.key == right.key && left.endpoints == right.endpoints
    }
}

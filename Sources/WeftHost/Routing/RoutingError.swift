extension NetfilterError {
    /// A routing request that the kernel refused, or whose socket failed.
    init(routing operation: String, code: Int32) {
        self.init(operation: operation, failure: NetlinkFailure(call: "rtnetlink", code: code))
    }
}

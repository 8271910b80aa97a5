/// libFuzzer's entry: called with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    ProxyFuzzInput(Array(UnsafeBufferPointer(start: start, count: count))).run()
    return 0
}

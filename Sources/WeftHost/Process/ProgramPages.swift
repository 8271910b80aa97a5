internal import CWeftLinux

/// The pages of this program's file that are mapped.
package enum ProgramPages {
    /// Gives back the mapped pages of code and constants; those that are used again come back from the page cache, by a
    /// minor fault for each 64 KiB (`fault_around_bytes`).
    ///
    /// Half of what a Swift program maps is needed by its start only: relocations, the registration of types and
    /// protocols, reading of configuration. Left alone it would count as resident for ever.
    ///
    /// - Returns: bytes of address space given back; 0 when the kernel refused.
    @discardableResult
    package static func release() -> Int { Int(weft_release_code()) }
}

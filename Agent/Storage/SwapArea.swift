/// The first page of a Linux swap area, as `mkswap` writes it; the rest of the disk is a hole.
///
/// Source: `union swap_header` in Linux `include/linux/swap.h`, version 1.
package enum SwapArea {
    private static let pageBytes = 4096

    /// - Parameter sizeBytes: Of the whole disk; at least ten pages, or the kernel refuses it.
    package static func header(sizeBytes: Int64, uuid: [UInt8]) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: pageBytes)
        page.put(UInt32(1), littleEndianAt: 1024)
        page.put(UInt32(truncatingIfNeeded: sizeBytes / Int64(pageBytes) - 1), littleEndianAt: 1028)
        page.put(uuid.prefix(16), at: 1036)
        page.put("SWAPSPACE2".utf8, at: pageBytes - 10)
        return page
    }
}

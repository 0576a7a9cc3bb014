/// The bytes of a new qcow2 file without data of its own: an overlay that shows its backing file, or an empty disk.
/// Writing them takes a fraction of starting `qemu-img`.
///
/// Layout in clusters of 64 KiB: header, refcount table, one refcount block, L1 table. Source: QEMU's
/// `docs/interop/qcow2.txt`.
package enum Qcow2Disk {
    package struct Backing: Equatable {
        package var path: String
        /// `raw` or `qcow2`: never left for QEMU to guess, since a guest could write what it guesses from.
        package var format: String

        package init(path: String, format: String) {
            self.path = path
            self.format = format
        }
    }

    private static let clusterBytes = 65_536
    /// What one L1 entry covers: an L2 table's 8,192 clusters.
    private static let bytesPerL1Entry: Int64 = 8192 * 65_536
    private static let headerBytes = 104
    private static let backingFormatExtension: UInt32 = 0xE279_2ACA
    /// The format's limit for names.
    private static let longestName = 1023

    /// - Parameter virtualSize: In bytes; rounded up to whole sectors of 512.
    /// - Returns: `nil` for no size, one beyond 1 EiB, or a backing file's name of more than 1023 bytes.
    package static func bytes(virtualSize: Int64, backing: Backing?) -> [UInt8]? {
        guard virtualSize > 0, virtualSize <= 1 << 60, (backing?.path.utf8.count ?? 0) <= longestName else {
            return nil
        }
        let size = (virtualSize + 511) / 512 * 512
        let l1Entries = Int((size + bytesPerL1Entry - 1) / bytesPerL1Entry)
        let l1Clusters = max(1, (l1Entries * 8 + clusterBytes - 1) / clusterBytes)
        let clusters = 3 + l1Clusters
        // One refcount block speaks for 32,768 clusters.
        guard clusters <= clusterBytes / 2 else { return nil }

        var out = [UInt8](repeating: 0, count: clusters * clusterBytes)
        out.put(Qcow2Header.magic, bigEndianAt: 0)
        out.put(UInt32(3), bigEndianAt: 4)
        out.put(UInt32(16), bigEndianAt: 20)  // cluster_bits
        out.put(UInt64(size), bigEndianAt: 24)
        out.put(UInt32(l1Entries), bigEndianAt: 36)
        out.put(UInt64(3 * clusterBytes), bigEndianAt: 40)  // l1_table_offset
        out.put(UInt64(clusterBytes), bigEndianAt: 48)  // refcount_table_offset
        out.put(UInt32(1), bigEndianAt: 56)  // refcount_table_clusters
        out.put(UInt32(4), bigEndianAt: 96)  // refcount_order: 16 bits
        out.put(UInt32(headerBytes), bigEndianAt: 100)
        if let backing { put(backing, in: &out) }
        out.put(UInt64(2 * clusterBytes), bigEndianAt: clusterBytes)
        for cluster in 0..<clusters { out.put(UInt16(1), bigEndianAt: 2 * clusterBytes + cluster * 2) }
        return out
    }

    /// The backing file's name in the header of a file that ``bytes(virtualSize:backing:)`` made, `nil` without one.
    package static func backingPath(head: [UInt8]) -> String? {
        guard head.bigEndian(UInt32.self, at: 0) == Qcow2Header.magic,
            let offset = head.bigEndian(UInt64.self, at: 8), let length = head.bigEndian(UInt32.self, at: 16),
            offset > 0, length <= longestName, offset <= UInt64(head.count), Int(offset) + Int(length) <= head.count
        else { return nil }
        return String(decoding: head[Int(offset)..<(Int(offset) + Int(length))], as: UTF8.self)
    }

    /// The size of the disk in the header of a file that ``bytes(virtualSize:backing:)`` made, as QEMU may have changed it
    /// since.
    package static func virtualSize(head: [UInt8]) -> Int64? {
        guard head.bigEndian(UInt32.self, at: 0) == Qcow2Header.magic, let size = head.bigEndian(UInt64.self, at: 24),
            size <= UInt64(Int64.max)
        else { return nil }
        return Int64(size)
    }

    /// Where the table is that leads to all data, and how many bytes it has; entries are zero where nothing was written.
    static func topTable(head: [UInt8]) -> (offset: Int64, bytes: Int)? {
        guard head.bigEndian(UInt32.self, at: 0) == Qcow2Header.magic,
            let entries = head.bigEndian(UInt32.self, at: 36), let offset = head.bigEndian(UInt64.self, at: 40),
            entries <= largestTopTable, offset <= UInt64(Int64.max)
        else { return nil }
        return (Int64(offset), Int(entries) * 8)
    }

    /// QEMU's own limit: 32 MiB.
    private static let largestTopTable: UInt32 = 1 << 22

    private static func put(_ backing: Backing, in out: inout [UInt8]) {
        let format = Array(backing.format.utf8)
        out.put(backingFormatExtension, bigEndianAt: headerBytes)
        out.put(UInt32(format.count), bigEndianAt: headerBytes + 4)
        out.put(format, at: headerBytes + 8)
        // Zeros that follow are the end of the extensions.
        let name = headerBytes + 8 + (format.count + 7) / 8 * 8 + 8
        out.put(UInt64(name), bigEndianAt: 8)
        out.put(UInt32(backing.path.utf8.count), bigEndianAt: 16)
        out.put(backing.path.utf8, at: name)
    }
}

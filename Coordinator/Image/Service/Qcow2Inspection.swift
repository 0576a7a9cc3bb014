/// QEMU's `docs/interop/qcow2.txt`: versions 2 and 3, header fields big-endian.
enum Qcow2Inspection {
    /// What QEMU takes for the first table (`QCOW_MAX_L1_SIZE`), bytes.
    private static let largestL1Bytes: UInt64 = 32 << 20

    static func inspect(_ file: InspectedFile) -> DiskFormatInspector.Finding? {
        guard file.has([0x51, 0x46, 0x49, 0xFB], at: 0) else { return nil }
        guard file.head.count >= 72 else { return refuse("the qcow2 header is cut short") }
        let version = file.big(4, 4)
        guard version == 2 || version == 3 else { return refuse("qcow2 version \(version) is not known") }
        guard file.big(8, 8) == 0, file.big(16, 4) == 0 else {
            return refuse("it has a backing file; only images complete in themselves are taken")
        }
        guard (9...21).contains(file.big(20, 4)) else { return refuse("the qcow2 cluster size is out of range") }
        guard file.big(32, 4) == 0 else { return refuse("it is encrypted") }
        if version == 3, let reason = features(file) { return refuse(reason) }
        let size = file.big(24, 8)
        guard size <= DiskFormatInspector.largestDisk else { return refuse("its virtual size is larger than 1 PiB") }
        if let reason = tables(file, size: size) { return refuse(reason, size: Int64(size)) }
        return DiskFormatInspector.Finding(format: "qcow2", virtualSize: Int64(size))
    }

    private static func features(_ file: InspectedFile) -> String? {
        guard file.head.count >= 104 else { return "the qcow2 header is cut short" }
        let incompatible = file.big(72, 8)
        guard incompatible & 0x4 == 0 else { return "it keeps its data in another file" }
        // Dirty, corrupt, compression type, extended L2 are known; anything newer is not judged.
        guard incompatible & ~0x1F == 0 else { return "it uses qcow2 features that are not known here" }
        guard file.big(96, 4) <= 6 else { return "its refcounts are wider than 64 bits" }
        guard (104...1024).contains(file.big(100, 4)) else { return "the length of the qcow2 header is out of range" }
        return nil
    }

    /// The tables that are read whole before anything else, each with the length that it claims.
    private static func tables(_ file: InspectedFile, size: UInt64) -> String? {
        let clusterBits = file.big(20, 4)
        let (entries, offset) = (file.big(36, 4), file.big(40, 8))
        guard entries * 8 <= largestL1Bytes else { return "its L1 table is larger than 32 MiB" }
        let isExtended = file.big(4, 4) == 3 && file.big(72, 8) & 0x10 != 0
        let reach = 2 * clusterBits - (isExtended ? 4 : 3)
        guard entries >= (size + (1 << reach) - 1) >> reach else {
            return "its L1 table is too small for its virtual size"
        }
        guard file.holds(offset, entries * 8) else { return "its L1 table lies beyond the end: it is cut short" }
        guard file.holds(file.big(48, 8), 8) else { return "its refcount table lies beyond the end: it is cut short" }
        // QEMU's own limits for refcount tables and snapshots.
        guard file.big(56, 4) << clusterBits <= 8 << 20 else { return "its refcount table is larger than 8 MiB" }
        guard file.big(60, 4) <= 65_536 else { return "it has more than 65536 snapshots" }
        return nil
    }

    private static func refuse(_ reason: String, size: Int64 = 0) -> DiskFormatInspector.Finding {
        DiskFormatInspector.Finding(format: "qcow2", virtualSize: size, refusal: reason)
    }
}

import CoordinatorPlatform

/// How backups of a folder are called, and which of them have had their time.
package enum BackupSchedule {
    private static let (prefix, suffix) = ("skerry-", ".age")

    /// `20261130T193000Z`.
    static func stamp(_ time: Int64) -> String { Timestamp.seconds(time).filter { !"-:".contains($0) } }

    package static func name(at time: Int64) -> String { prefix + stamp(time) + suffix }

    /// - Returns: All but the last `keep` of the backups among the names. Files with other names are somebody's.
    package static func expired(_ names: [String], keep: Int) -> [String] {
        names.filter(isBackup).sorted().dropLast(keep)
    }

    private static func isBackup(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
        let stamp = Array(name.dropFirst(prefix.count).dropLast(suffix.count).utf8)
        return stamp.count == 16
            && stamp.enumerated().allSatisfy { place, byte in
                switch place {
                case 8: byte == UInt8(ascii: "T")
                case 15: byte == UInt8(ascii: "Z")
                default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                }
            }
    }
}

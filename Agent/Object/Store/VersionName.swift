/// What versions of objects are called in the container that keeps them.
package enum VersionName {
    /// Microseconds that two versions of one object are apart at least: what a name can tell.
    static let step: Int64 = 10
    /// What is kept when an object is removed.
    static let removalMark = "application/x-deleted;swift_versions_deleted=1"

    /// All versions of one object begin so: the length keeps those of `a` and `a/b` apart.
    package static func prefix(_ object: String) -> String {
        let digits = String(object.utf8.count, radix: 16)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits + object + "/"
    }

    package static func of(_ object: String, _ moment: Int64) -> String {
        let text = HTTPDate.timestamp(moment)
        return prefix(object) + String(repeating: "0", count: max(0, 16 - text.utf8.count)) + text
    }
}

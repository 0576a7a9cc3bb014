/// What the operator can set about the block storage slice.
public struct BlockStorageSettings: Sendable, Hashable {
    /// The zone of hosts that report none, and of volumes that ask for none.
    public var defaultZone = "nova"
    /// Hosts that a volume is tried on before it becomes `error`.
    public var buildAttempts = 3
    /// Items of a page, and of a list without `limit`.
    public var pageLimit = 1000
    /// Days for which it can still be explained what became of a deleted volume.
    public var deletedDays: Int64 = 7
    /// Where hosts listen that export volumes to others: NBD's registered port (IANA).
    public var exportPort = 10_809
    /// Limits of a project that has none of its own; -1 for none. Cinder's defaults.
    public var quotas: [String: Int] = [
        "volumes": 10, "snapshots": 10, "gigabytes": 1000, "backups": 10, "backup_gigabytes": 1000, "groups": 10,
        "per_volume_gigabytes": -1
    ]

    public init() {}
}

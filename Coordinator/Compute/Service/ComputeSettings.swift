/// What the operator can set about the compute slice.
public struct ComputeSettings: Sendable, Hashable {
    /// The zone of hosts that report none, and of servers that ask for none.
    public var defaultZone = "nova"
    /// Hosts that a build is tried on before it becomes ERROR.
    public var buildAttempts = 3
    /// Items of a page, and of a list without `limit`.
    public var pageLimit = 1000
    /// Seconds that a deleted server can be restored for; 0 deletes at once.
    public var reclaimSeconds: Int64 = 0
    /// Seconds after which a resized server that nobody confirmed is confirmed; 0 waits for ever.
    public var resizeConfirmSeconds: Int64 = 0
    /// Seconds after which a shelved server leaves its host; 0 leaves at once, -1 never by itself.
    public var shelvedOffloadSeconds: Int64 = 0
    /// Servers one create call may ask for.
    public var createLimit = 1000
    /// Days a deleted server stays readable for administrators.
    public var deletedServerDays: Int64 = 30
    /// Rendered servers kept for lists; about 2 KiB each.
    public var renderedServers = 4096
    /// Limits of a project that has none of its own; -1 for none.
    public var quotas: [String: Int] = [
        "instances": 10, "cores": 20, "ram": 51_200, "metadata_items": 128, "key_pairs": 100, "server_groups": 10,
        "server_group_members": 10, "injected_files": 5, "injected_file_content_bytes": 10_240,
        "injected_file_path_bytes": 255, "fixed_ips": -1, "floating_ips": -1, "security_groups": -1,
        "security_group_rules": -1
    ]

    public init() {}
}

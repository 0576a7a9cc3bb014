import ProtocolModel

/// What the operator says about images' data (`images:` in the coordinator's configuration).
public struct ImageSettings: Sendable, Equatable {
    /// The largest upload, download or conversion taken, bytes.
    public var sizeLimit: Int64 = 1 << 40
    public var webDownload = WebDownload()
    public var conversion = Conversion()
    /// How long an import may take once it has begun, seconds.
    public var importSeconds: Int64 = 6 * 3_600
    /// How long an import may wait for its turn, seconds.
    public var importWaitSeconds: Int64 = 48 * 3_600
    /// How long data that is staged, or that a broken upload left, is kept, seconds.
    public var partSeconds: Int64 = 86_400
    /// How long an ended task can be looked at, seconds.
    public var taskSeconds: Int64 = 48 * 3_600
    /// Every content is read again and compared with its hash once in so many seconds; 0 never does.
    public var scrubSeconds: Int64 = 7 * 86_400
    /// How fast that reads, bytes a second.
    public var scrubBytesPerSecond: Int64 = 32 << 20

    /// Where `web-download` may fetch from. Without hosts there is no such method.
    public struct WebDownload: Sendable, Equatable {
        /// Lower-case host names or addresses, exactly as they stand in the URL; `*.example.org` is every name below.
        public var hosts: [String] = []
        public var ports: Set<Int> = [80, 443]
        /// Networks that may be reached although they are private, loopback or the like.
        public var networks: [IPPrefix] = []
        /// A PEM file of authorities that servers may have their certificates from, beside those that the system trusts.
        /// Read for each download, so a new file needs no restart.
        public var authorities: String?

        public init() {}
    }

    /// What imports turn images into.
    public struct Conversion: Sendable, Equatable {
        /// `raw`, `qcow2`, `vmdk`, `vhd` or `vhdx`; `nil` converts nothing.
        public var outputFormat: String?
        public var seconds: Int64 = 3_600
        public var memoryBytes: Int64 = 2 << 30
        /// The largest disk that is converted, and the largest file that may come out, bytes.
        public var outputBytes: Int64 = 100 << 30

        public init() {}
    }

    public init() {}
}

import CoordinatorPlatform
import ProtocolModel

/// Where images' limits come from: the identity service's registered and project limits.
public protocol ImageLimits: Sendable {
    /// - Parameter name: ``ImageQuota/Resource``'s raw value.
    /// - Returns: `nil` where there is no limit.
    func limit(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> Int64?
}

/// No limits at all.
public struct NoImageLimits: ImageLimits {
    public init() {}
    public func limit(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> Int64? { nil }
}

/// What a project uses of images, and what it may use (Glance, "Using unified quotas").
public struct ImageQuota: Sendable {
    public enum Resource: String, Sendable, CaseIterable {
        /// MiB of images' data.
        case size = "image_size_total"
        /// Images.
        case count = "image_count_total"
        /// Images that are being uploaded or imported.
        case uploading = "image_count_uploading"
        /// MiB of data staged for imports.
        case staged = "image_stage_total"
    }

    public struct Usage: Sendable, Hashable {
        public var used: Int64
        /// `nil` is unlimited.
        public var limit: Int64?
    }

    let limits: any ImageLimits
    private let store = ImageUsageStore()

    init(limits: any ImageLimits) { self.limits = limits }

    func usage(
        _ resource: Resource, project: ProjectID, besides bytes: Int64 = 0, in reader: any SQLReader
    ) throws -> Usage {
        let used =
            switch resource {
            case .size: (try store.bytes(project, in: reader) - bytes) >> 20
            case .count: try store.images(project, in: reader)
            case .uploading: try store.uploading(project, in: reader)
            case .staged: (try store.stagedBytes(project, in: reader) - bytes) >> 20
            }
        return Usage(used: used, limit: try limits.limit(resource.rawValue, project: project, in: reader))
    }

    /// - Parameters:
    ///   - project: The image's owner; what belongs to nobody is not limited.
    ///   - adding: What is asked for beyond what is used, in the resource's unit. 0 asks whether the limit is exceeded
    ///     already, which is all that can be known before data of unknown size comes in.
    ///   - bytes: Data that counts as used and that this request goes on with or replaces: whoever was let in once is not
    ///     refused the rest.
    /// - Throws: ``APIError`` 413.
    func require(
        _ resource: Resource, project: ProjectID?, adding: Int64, besides bytes: Int64 = 0, in reader: any SQLReader
    ) throws {
        guard let project, let limit = try limits.limit(resource.rawValue, project: project, in: reader), limit >= 0
        else { return }
        let used = try usage(resource, project: project, besides: bytes, in: reader).used
        guard used + adding > limit else { return }
        throw APIError(
            status: 413,
            message: """
                The request returned a 413 Request Entity Too Large. This generally means that rate limiting or a quota \
                threshold was breached.

                The response body:
                Project \(project.compact) is over a limit for [Resource \(resource.rawValue) is over limit of \(limit) \
                due to current usage \(used) and delta \(adding)]
                """)
    }
}

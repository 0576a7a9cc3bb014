import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// Images' limits as the identity service's unified limits have them: registered for the service of type `image`, in the
/// cloud's region or in none. What nobody registered is not limited.
public struct UnifiedImageLimits: ImageLimits {
    private let directory: IdentityDirectory
    private let region: String

    public init(directory: IdentityDirectory, region: String) {
        self.directory = directory
        self.region = region
    }

    public func limit(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> Int64? {
        directory.limit(name, ofService: "image", region: region, project: project)
    }
}

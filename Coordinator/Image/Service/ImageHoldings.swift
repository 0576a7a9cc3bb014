import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What projects have of this slice: their images. Memberships of others' images are housekeeping.
struct ImageHoldings: ProjectHoldings {
    let service: ImageService
    private let owned = ImageOwnershipStore()

    init(service: ImageService) { self.service = service }

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [ProjectHolding("image", try owned.images(of: project, in: reader).count)]
    }

    /// Leaves protected images: somebody said that they must not go.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        for id in try owned.images(of: project, in: transaction) {
            guard let image = try service.store.image(id, in: transaction), !image.isProtected else { continue }
            try service.remove(image, in: transaction)
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try owned.removeMemberships(of: project, in: transaction)
    }
}

extension ImageSlice {
    public var holdings: any ProjectHoldings { ImageHoldings(service: service) }
}

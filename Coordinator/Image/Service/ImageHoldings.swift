import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What projects have of this slice: their images. Memberships of others' images are housekeeping.
struct ImageHoldings: ProjectHoldings {
    let service: ImageService

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [ProjectHolding("image", try service.store.images(of: project, in: reader).count)]
    }

    /// Leaves protected images: somebody said that they must not go.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        for id in try service.store.images(of: project, in: transaction) {
            guard let image = try service.store.image(id, in: transaction), !image.isProtected else { continue }
            try service.remove(image, in: transaction)
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try service.members.removeAll(of: project, in: transaction)
    }
}

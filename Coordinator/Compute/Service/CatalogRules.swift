import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// Which flavors a caller may use, and for which images.
struct CatalogRules: Sendable {
    let parts: ComputeParts

    /// A flavor the caller may see: public, or open to its project. Administrators see all.
    /// - Throws: ``APIError`` 404.
    func flavor(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Flavor {
        guard let flavor = try parts.flavors.find(id, in: reader),
            try flavor.isPublic || caller.isAdmin
                || parts.flavors.access(to: id, in: reader).contains(caller.project?.compact ?? "")
        else { throw APIError.notFound("Flavor \(id) could not be found.") }
        return flavor
    }

    /// The same for a create call, where an unknown flavor is the body's fault.
    func bootFlavor(_ id: String, caller: Caller, in reader: any SQLReader) throws -> FlavorSnapshot {
        do {
            return try flavor(id, caller: caller, in: reader).snapshot
        } catch let error as APIError where error.status == 404 {
            throw APIError.badRequest(error.message)
        }
    }

    /// An image that the caller may boot from.
    /// - Throws: ``APIError`` 400.
    func image(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        do { return try parts.image.bootable(id, caller: caller, in: reader) } catch let refusal as Refusal {
            throw APIError.badRequest(refusal.code == .notFound ? "Can not find requested image" : refusal.message)
        }
    }

    static func check(_ flavor: FlavorSnapshot, fits image: BootImage, caller: Caller) throws {
        if flavor.memoryMiB < image.minMemoryMiB {
            throw APIError.badRequest("Flavor's memory is too small for requested image.")
        }
        guard flavor.rootGiB > 0 else {
            // The guest would take as much disk as its image says, which the flavor's owner did not agree to.
            guard caller.isAdmin else {
                throw APIError.forbidden("Only volume-backed servers are allowed for flavors with zero disk.")
            }
            return
        }
        let flavorBytes = Int64(flavor.rootGiB) << 30
        if flavorBytes < image.virtualSizeBytes {
            throw APIError.badRequest(
                "Flavor's disk is too small for requested image. Flavor disk is \(flavorBytes) bytes, image is "
                    + "\(image.virtualSizeBytes) bytes.")
        }
        if flavor.rootGiB < image.minDiskGiB {
            throw APIError.badRequest(
                "Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is "
                    + "\(flavorBytes) bytes, minimum size is \(Int64(image.minDiskGiB) << 30) bytes.")
        }
    }
}

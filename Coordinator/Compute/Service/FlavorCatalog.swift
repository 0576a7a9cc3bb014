import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// Flavors: which ones a caller may use, for which images, and how they change.
struct FlavorCatalog: Sendable {
    let parts: ComputeParts
    private var store: FlavorStore { parts.flavors }

    init(parts: ComputeParts) { self.parts = parts }

    // MARK: Use

    /// A flavor the caller may see: public, or open to its project. Administrators see all.
    /// - Throws: ``APIError`` 404.
    func flavor(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Flavor {
        guard let flavor = try visible(id, caller: caller, in: reader) else { throw Self.missing(id) }
        return flavor
    }

    /// The same for a create call, where an unknown flavor is the body's fault.
    func bootFlavor(_ id: String, caller: Caller, in reader: any SQLReader) throws -> FlavorSnapshot {
        guard let flavor = try visible(id, caller: caller, in: reader) else {
            throw APIError.badRequest(Self.missing(id).message)
        }
        return flavor.snapshot
    }

    private func visible(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Flavor? {
        guard let flavor = try store.find(id, in: reader) else { return nil }
        if flavor.isPublic || caller.isAdmin { return flavor }
        guard let project = caller.project, try store.hasAccess(project, to: id, in: reader) else { return nil }
        return flavor
    }

    /// An image that the caller may boot from.
    /// - Throws: ``APIError`` 400.
    func image(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        do { return try parts.image.bootable(id, caller: caller, in: reader) } catch let refusal as Refusal {
            throw APIError.badRequest(refusal.code == .notFound ? "Can not find requested image" : refusal.message)
        }
    }

    /// What a guest needs whatever its disk is.
    /// - Throws: ``APIError`` 400.
    static func checkGuest(_ flavor: FlavorSnapshot, fits image: BootImage) throws {
        try checkGuest(flavor, memoryMiB: image.minMemoryMiB, properties: image.properties)
    }

    static func checkGuest(_ flavor: FlavorSnapshot, memoryMiB: Int, properties: [String: String]) throws {
        if let value = HardwareWishes.unknownValue(in: properties) {
            throw APIError.badRequest("Invalid image metadata. Error: Field value \(value) is invalid")
        }
        if flavor.memoryMiB < memoryMiB {
            throw APIError.badRequest("Flavor's memory is too small for requested image.")
        }
    }

    static func check(_ flavor: FlavorSnapshot, fits image: BootImage, caller: Caller) throws {
        try checkGuest(flavor, fits: image)
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

    private static func missing(_ id: String) -> APIError { .notFound("Flavor \(id) could not be found.") }

    // MARK: Change

    /// - Throws: ``APIError`` 404.
    private func find(_ id: String, in reader: any SQLReader) throws -> Flavor {
        guard let flavor = try store.find(id, in: reader) else { throw Self.missing(id) }
        return flavor
    }

    /// - Throws: ``APIError`` 409.
    func create(_ flavor: Flavor, in transaction: any SQLTransaction) throws {
        guard try store.find(flavor.id, in: transaction) == nil else {
            throw APIError.conflict("Flavor with ID \(flavor.id) already exists.")
        }
        guard try !store.exists(named: flavor.name, in: transaction) else {
            throw APIError.conflict("Flavor with name \(flavor.name) already exists.")
        }
        try store.insert(flavor, in: transaction)
    }

    /// - Throws: ``APIError`` 404, and what the change throws.
    func change(
        _ id: String, in transaction: any SQLTransaction, _ change: (inout Flavor) throws -> Void
    ) throws -> Flavor {
        var flavor = try find(id, in: transaction)
        try change(&flavor)
        try store.update(flavor, in: transaction)
        return flavor
    }

    /// - Throws: ``APIError`` 404.
    func delete(_ id: String, in transaction: any SQLTransaction) throws {
        guard try store.delete(id, in: transaction) else { throw Self.missing(id) }
    }

    // MARK: Access to private flavors

    /// - Returns: Projects, as 32 digits.
    func access(to id: String, in reader: any SQLReader) throws -> [String] {
        let flavor = try find(id, in: reader)
        guard !flavor.isPublic else { throw APIError.notFound("Access list not available for public flavors.") }
        return try store.access(to: flavor.id, in: reader)
    }

    /// - Parameter isStrict: Whether public flavors, which everybody has access to, are refused.
    func grant(
        _ project: ProjectID, to id: String, isStrict: Bool, in transaction: any SQLTransaction
    ) throws -> [String] {
        let flavor = try find(id, in: transaction)
        guard !flavor.isPublic || !isStrict else {
            throw APIError.conflict("Can not add access to a public flavor.")
        }
        guard try store.grant(project, to: id, in: transaction) else {
            throw APIError.conflict(
                "Flavor access already exists for flavor \(id) and project \(project.compact) combination.")
        }
        return try store.access(to: id, in: transaction)
    }

    func revoke(_ project: ProjectID, from id: String, in transaction: any SQLTransaction) throws -> [String] {
        let flavor = try find(id, in: transaction)
        guard try store.revoke(project, from: flavor.id, in: transaction) else {
            throw APIError.notFound("Flavor access not found for \(id) / \(project.compact) combination.")
        }
        return try store.access(to: id, in: transaction)
    }
}

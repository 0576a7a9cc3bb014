import CoordinatorPlatform
import ProtocolModel

/// Volume types: which ones a caller may use, and how they change.
struct TypeCatalog: Sendable {
    let parts: BlockStorageParts
    private var store: TypeStore { parts.types }

    init(parts: BlockStorageParts) { self.parts = parts }

    // MARK: Use

    /// A type that the caller may see: public, or open to its project. Administrators see all.
    /// - Throws: ``APIError`` 404.
    func type(_ id: String, caller: Caller, in reader: any SQLReader) throws -> VolumeType {
        guard let uuid = VolumeTypeID(id), let type = try store.find(uuid, in: reader),
            try isVisible(type, to: caller, in: reader)
        else { throw BlockStorageError.noType(id) }
        return type
    }

    /// - Throws: ``APIError`` 404.
    func byNameOrID(_ text: String, caller: Caller, in reader: any SQLReader) throws -> VolumeType {
        if VolumeTypeID(text) != nil, let type = try? type(text, caller: caller, in: reader) { return type }
        guard let type = try store.find(named: text, in: reader), try isVisible(type, to: caller, in: reader) else {
            throw BlockStorageError.noType(named: text)
        }
        return type
    }

    private func isVisible(_ type: VolumeType, to caller: Caller, in reader: any SQLReader) throws -> Bool {
        if type.isPublic || caller.isAdmin { return true }
        guard let project = caller.project else { return false }
        return try store.hasAccess(project, to: type.id, in: reader)
    }

    /// The type of volumes for which none is named.
    /// - Throws: ``APIError`` 500 when an administrator renamed it.
    func defaultType(of project: ProjectID?, in reader: any SQLReader) throws -> VolumeType {
        if let project, let id = try parts.typeExtras.defaultType(of: project, in: reader),
            let type = try store.find(id, in: reader)
        {
            return type
        }
        guard let type = try store.find(named: VolumeType.defaultName, in: reader) else {
            throw APIError(
                status: 500,
                message: "The request cannot be fulfilled as the default volume type \(VolumeType.defaultName) cannot "
                    + "be found.")
        }
        return type
    }

    // MARK: Change

    /// - Throws: ``APIError`` 409.
    func create(_ type: VolumeType, in transaction: any SQLTransaction) throws {
        try refuseTaken(type.name, in: transaction)
        try store.insert(type, in: transaction)
    }

    private func refuseTaken(_ name: String, in reader: any SQLReader) throws {
        guard try store.find(named: name, in: reader) == nil else {
            throw APIError.conflict("Volume Type \(name) already exists.")
        }
    }

    /// - Throws: ``APIError`` 404, and what the change throws.
    func change(
        _ id: String, at now: Int64, in transaction: any SQLTransaction,
        _ change: (inout VolumeType) throws -> Void
    ) throws -> VolumeType {
        guard let uuid = VolumeTypeID(id), var type = try store.find(uuid, in: transaction) else {
            throw BlockStorageError.noType(id)
        }
        let old = type
        try change(&type)
        if type.name != old.name {
            try refuseTaken(type.name, in: transaction)
            for what in BlockStorageQuotas.perType {
                try parts.quotas.ledger.rename("\(what)_\(old.name)", to: "\(what)_\(type.name)", in: transaction)
            }
        }
        if type.isMultiattach != old.isMultiattach { try refuseUsed(type, in: transaction) }
        type.updatedAt = now
        try store.save(type, in: transaction)
        return type
    }

    /// Volumes keep what they were made with.
    private func refuseUsed(_ type: VolumeType, in reader: any SQLReader) throws {
        guard try !parts.volumes.isUsed(type.id, in: reader) else {
            throw APIError.badRequest("Volume Type is currently in use.")
        }
    }

    /// - Throws: ``APIError`` 404, 400.
    func delete(_ id: String, in transaction: any SQLTransaction) throws {
        guard let uuid = VolumeTypeID(id), let type = try store.find(uuid, in: transaction) else {
            throw BlockStorageError.noType(id)
        }
        guard try store.count(in: transaction) > 1 else {
            throw APIError.badRequest(
                "The volume type \(id) is the only currently defined volume type and cannot be deleted.")
        }
        guard try type.name != VolumeType.defaultName && !parts.typeExtras.isDefault(uuid, in: transaction) else {
            throw APIError.badRequest("The volume type \(id) is a default volume type and cannot be deleted.")
        }
        guard try !parts.volumes.isUsed(uuid, in: transaction) else {
            throw APIError.badRequest("Target volume type is still in use.")
        }
        try parts.typeExtras.deleteEncryption(of: uuid, in: transaction)
        try store.delete(uuid, in: transaction)
    }

    // MARK: Access to private types

    /// - Throws: ``APIError`` 404.
    private func find(_ id: String, in reader: any SQLReader) throws -> VolumeType {
        guard let uuid = VolumeTypeID(id), let type = try store.find(uuid, in: reader) else {
            throw BlockStorageError.noType(id)
        }
        return type
    }

    /// - Returns: Projects, as 32 digits.
    func access(to id: String, in reader: any SQLReader) throws -> [String] {
        let type = try find(id, in: reader)
        guard !type.isPublic else { throw APIError.notFound("Access list not available for public volume types.") }
        return try store.access(to: type.id, in: reader)
    }

    func grant(_ project: ProjectID, to id: String, in transaction: any SQLTransaction) throws {
        let type = try find(id, in: transaction)
        guard !type.isPublic else {
            throw APIError.conflict(
                "Invalid volume type: Type access modification is not applicable to public volume type.")
        }
        guard try store.grant(project, to: type.id, in: transaction) else {
            throw APIError.conflict(
                "Volume type access for \(id) / \(project.compact) combination already exists.")
        }
    }

    func revoke(_ project: ProjectID, from id: String, in transaction: any SQLTransaction) throws {
        let type = try find(id, in: transaction)
        guard !type.isPublic else {
            throw APIError.conflict(
                "Invalid volume type: Type access modification is not applicable to public volume type.")
        }
        guard try store.revoke(project, from: type.id, in: transaction) else {
            throw APIError.notFound(
                "Volume type access not found for \(id) / \(project.compact) combination.")
        }
    }
}

import CoordinatorPlatform
import ProtocolModel

/// `/types/{id}/encryption`, and `/default-types` (3.62).
struct TypeExtraRoutes: Sendable {
    let parts: BlockStorageParts
    private static let rule = "volume_extension:volume_type_encryption:"

    var all: [Route] {
        let (base, rule) = ("/types/{type_id}/encryption", Self.rule)
        return [
            Route.volume(.get, base, handler: showEncryption).gated(by: rule + "get"),
            Route.volume(.post, base, action: "volume.type.encryption.create", handler: createEncryption)
                .asking(rule + "create"),
            Route.volume(.get, base + "/{key}", handler: showEncryption).gated(by: rule + "get"),
            Route.volume(.put, base + "/{key}", action: "volume.type.encryption.update", handler: updateEncryption)
                .asking(rule + "update"),
            Route.volume(.delete, base + "/{key}", action: "volume.type.encryption.delete", handler: deleteEncryption)
                .asking(rule + "delete"),
            Route.volume(.get, "/default-types", handler: defaults).gated(by: "volume_extension:default_get_all"),
            Route.volume(.get, "/default-types/{target_id}", handler: showDefault)
                .gated(by: "volume_extension:default_get"),
            Route.volume(.put, "/default-types/{target_id}", action: "volume.type.default.set", handler: setDefault)
                .asking("volume_extension:default_set_or_update"),
            Route.volume(
                .delete, "/default-types/{target_id}", action: "volume.type.default.unset", handler: unsetDefault
            )
            .asking("volume_extension:default_unset")
        ]
    }

    // MARK: Encryption

    private static func type(_ call: APICall, _ parts: BlockStorageParts, in reader: any SQLReader) throws -> VolumeType
    {
        try TypeCatalog(parts: parts).type(call.parameter("type_id"), caller: try call.requireCaller(), in: reader)
    }

    private static func render(_ encryption: TypeEncryption) -> [String: JSON] {
        [
            "volume_type_id": .string(encryption.type.text), "encryption_id": .string(encryption.id.text),
            "provider": .string(encryption.provider), "control_location": .string(encryption.controlLocation),
            "cipher": JSON(encryption.cipher), "key_size": JSON(encryption.keySize),
            "created_at": volumeTime(encryption.createdAt), "updated_at": volumeTime(encryption.updatedAt),
            "deleted": false, "deleted_at": .null
        ]
    }

    @Sendable private func showEncryption(_ call: APICall) async throws -> APIResponse {
        let parts = parts
        let found = try await call.database.read { reader in
            try parts.typeExtras.encryption(of: try Self.type(call, parts, in: reader).id, in: reader)
        }
        let members = found.map(Self.render) ?? [:]
        let key = call.parameter("key")
        guard !key.isEmpty else { return .json(.object(members)) }
        guard let value = members[key] else {
            throw APIError.notFound("Volume type encryption for type \(call.parameter("type_id")) does not exist.")
        }
        return .json([key: value])
    }

    private struct Draft: Sendable {
        var provider: String?
        var controlLocation: String?
        var cipher: String??
        var keySize: Int??

        static func schema(isChange: Bool) -> BodySchema<Draft> {
            let provider = BodyFormat.text(0...255).map { text, _ in Optional(text) }
            let place = BodyFormat.word(of: ["front-end", "back-end"]).map { text, _ in Optional(text) }
            return BodySchema(
                blank: Draft(),
                (isChange
                    ? [.given("provider", \.provider, provider), .given("control_location", \.controlLocation, place)]
                    : [
                        .required("provider", \.provider, provider),
                        .required("control_location", \.controlLocation, place)
                    ]) + [
                        .nullable("cipher", \.cipher, .text(0...255)),
                        .nullable("key_size", \.keySize, .integer(0...0x7FFF_FFFF, orText: true))
                    ])
        }
    }

    private static func refuseUsed(
        _ type: VolumeType, _ word: String, _ parts: BlockStorageParts, in reader: any SQLReader
    ) throws {
        guard try !parts.volumes.isUsed(type.id, in: reader) else {
            throw APIError.badRequest("Cannot \(word) encryption specs. Volume type in use.")
        }
    }

    @Sendable private func createEncryption(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "create")
        let draft = try Draft.schema(isChange: false)
            .read(try await call.json(), under: "encryption", wording: Cinder.body)
        let parts = parts
        let made = try await call.write(target: { $0.type.text }) { transaction in
            let type = try Self.type(call, parts, in: transaction)
            try Self.refuseUsed(type, "create", parts, in: transaction)
            guard try parts.typeExtras.encryption(of: type.id, in: transaction) == nil else {
                throw APIError.badRequest("Volume type encryption for type \(type.id) already exists.")
            }
            let encryption = TypeEncryption(
                type: type.id, id: .random(), provider: draft.provider ?? "",
                controlLocation: draft.controlLocation ?? "", cipher: draft.cipher ?? nil,
                keySize: draft.keySize ?? nil, createdAt: call.now)
            try parts.typeExtras.insert(encryption, in: transaction)
            return encryption
        }
        return .json([
            "encryption": [
                "volume_type_id": .string(made.type.text), "encryption_id": .string(made.id.text),
                "provider": .string(made.provider), "control_location": .string(made.controlLocation),
                "cipher": JSON(made.cipher), "key_size": JSON(made.keySize)
            ]
        ])
    }

    @Sendable private func updateEncryption(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "update")
        let body = try await call.json()
        let draft = try Draft.schema(isChange: true).read(body, under: "encryption", wording: Cinder.body)
        let parts = parts
        try await call.write(target: { _ in call.parameter("type_id") }) { transaction in
            let type = try Self.type(call, parts, in: transaction)
            try Self.refuseUsed(type, "update", parts, in: transaction)
            guard var encryption = try parts.typeExtras.encryption(of: type.id, in: transaction) else {
                throw APIError.notFound("Volume type encryption for type \(type.id) does not exist.")
            }
            if let provider = draft.provider { encryption.provider = provider }
            if let place = draft.controlLocation { encryption.controlLocation = place }
            if let cipher = draft.cipher { encryption.cipher = cipher }
            if let size = draft.keySize { encryption.keySize = size }
            encryption.updatedAt = call.now
            try parts.typeExtras.save(encryption, in: transaction)
        }
        return .json(["encryption": body["encryption"] ?? [:]])
    }

    @Sendable private func deleteEncryption(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "delete")
        let parts = parts
        try await call.write(target: { _ in call.parameter("type_id") }) { transaction in
            let type = try Self.type(call, parts, in: transaction)
            try Self.refuseUsed(type, "delete", parts, in: transaction)
            guard try parts.typeExtras.deleteEncryption(of: type.id, in: transaction) else {
                throw APIError.notFound("Volume type encryption for type \(type.id) does not exist.")
            }
        }
        return .empty(202)
    }

    // MARK: Defaults of projects

    private static func render(_ project: String, _ type: VolumeTypeID) -> JSON {
        ["project_id": .string(project), "volume_type_id": .string(type.text)]
    }

    private func project(_ call: APICall) throws -> ProjectID {
        try call.requireVersion(62)
        guard let project = ProjectID(call.parameter("target_id")) else {
            throw APIError.notFound("Project with id \(call.parameter("target_id")) not found.")
        }
        return project
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(62)
        let store = parts.typeExtras
        let found = try await call.database.read { try store.defaults(in: $0) }
        return .json(["default_types": .array(found.map { Self.render($0.project, $0.type) })])
    }

    @Sendable private func showDefault(_ call: APICall) async throws -> APIResponse {
        let (project, store) = (try project(call), parts.typeExtras)
        guard let type = try await call.database.read({ try store.defaultType(of: project, in: $0) }) else {
            throw APIError.notFound("Default type for project \(project.compact) not found.")
        }
        return .json(["default_type": Self.render(project.compact, type)])
    }

    @Sendable private func setDefault(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:default_set_or_update")
        let (project, caller) = (try project(call), try call.requireCaller())
        let name = try BodySchema(blank: "", [.required("volume_type", \.self, .text(1...255))])
            .read(try await call.json(), under: "default_type", wording: Cinder.body)
        let parts = parts
        let type = try await call.write(target: { _ in call.parameter("target_id") }) { transaction in
            do {
                let type = try TypeCatalog(parts: parts).byNameOrID(name, caller: caller, in: transaction)
                try parts.typeExtras.setDefault(type.id, of: project, in: transaction)
                return type.id
            } catch let error as APIError where error.status == 404 {
                throw APIError.badRequest(error.message)
            }
        }
        return .json(["default_type": Self.render(project.compact, type)])
    }

    @Sendable private func unsetDefault(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:default_unset")
        let (project, store) = (try project(call), parts.typeExtras)
        try await call.write(target: { _ in call.parameter("target_id") }) {
            try store.unsetDefault(of: project, in: $0)
        }
        return .empty(204)
    }
}

import CoordinatorPlatform
import ProtocolModel

/// `/qos-specs`: administrators' limits of speed, and which types they are for.
struct QoSRoutes: Sendable {
    let parts: BlockStorageParts
    private static let rule = "volume_extension:qos_specs_manage:"

    var all: [Route] {
        let (base, one, rule) = ("/qos-specs", "/qos-specs/{qos_id}", Self.rule)
        return [
            Route.volume(.get, base, handler: list).gated(by: rule + "get_all"),
            Route.volume(.post, base, action: "volume.qos.create", handler: create).asking(rule + "create"),
            Route.volume(.get, one, handler: show).gated(by: rule + "get"),
            Route.volume(.put, one, action: "volume.qos.update", handler: update).asking(rule + "update"),
            Route.volume(.delete, one, action: "volume.qos.delete", handler: delete).asking(rule + "delete"),
            Route.volume(.put, one + "/delete_keys", action: "volume.qos.unset", handler: unset)
                .asking(rule + "delete"),
            Route.volume(.get, one + "/associations", handler: associations).gated(by: rule + "get_all"),
            // These three change something for all that they are read.
            Route.volume(.get, one + "/associate", action: "volume.qos.associate", handler: associate).asking(
                rule + "update"),
            Route.volume(.get, one + "/disassociate", action: "volume.qos.disassociate", handler: disassociate).asking(
                rule + "update"),
            Route.volume(
                .get, one + "/disassociate_all", action: "volume.qos.disassociate", handler: disassociateAll
            ).asking(rule + "update")
        ]
    }

    private static func render(_ specs: QoSSpecs) -> JSON {
        [
            "id": .string(specs.id.text), "name": .string(specs.name), "consumer": .string(specs.consumer.rawValue),
            "specs": .object(specs.specs.mapValues(JSON.string))
        ]
    }

    private static func find(_ id: String, _ parts: BlockStorageParts, in reader: any SQLReader) throws -> QoSSpecs {
        guard let uuid = QoSSpecsID(id), let specs = try parts.qos.find(uuid, in: reader) else {
            throw APIError.notFound("No such QoS spec \(id).")
        }
        return specs
    }

    private func found(_ call: APICall) async throws -> QoSSpecs {
        let parts = parts
        return try await call.database.read { try Self.find(call.parameter("qos_id"), parts, in: $0) }
    }

    // MARK: Reading

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let dialect = Cinder.list(most: parts.settings.pageLimit, refuses: false, path: "qos-specs")
        let query = try dialect.read(
            try Cinder.parameters(call), isFilter: BlockStorageLists.qos.isFilter, isSort: BlockStorageLists.qos.isSort)
        let (store, offset) = (parts.qos, try Cinder.offset(call))
        let found = try await call.database.read { reader in
            try dialect.found { try store.list(query, skipping: offset, in: reader) }
        }
        return dialect.answer(
            ListPage(collection: "qos_specs", identities: found.map(\.id.text), query: query),
            found.map(Self.render), call)
    }

    private func shown(_ specs: QoSSpecs, _ call: APICall) -> APIResponse {
        .json(["qos_specs": Self.render(specs), "links": call.volumeLinks("qos-specs/\(specs.id)")])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse { shown(try await found(call), call) }

    @Sendable private func associations(_ call: APICall) async throws -> APIResponse {
        let (specs, parts) = (try await found(call), parts)
        let types = try await call.database.read { try parts.types.all(in: $0) }.filter {
            $0.qosSpecs == specs.id.cast()
        }
        return .json([
            "qos_associations": .array(
                types.map {
                    ["association_type": "volume_type", "name": .string($0.name), "id": .string($0.id.text)]
                })
        ])
    }

    // MARK: Changing

    /// Texts, and numbers as texts.
    private static let values = BodyFormat<[String: String]>.map(
        keys: .characters("-_:. ", pattern: "^[a-zA-Z0-9-_:. ]{1,255}$"),
        values: .either([
            .text(0...255), BodyFormat<Int>.integer().map { number, _ in String(number) }
        ]), most: 64)

    private static func consumer(_ text: String?) throws -> QoSSpecs.Consumer? {
        guard let text else { return nil }
        guard let consumer = QoSSpecs.Consumer(rawValue: text) else {
            throw APIError.badRequest(
                "Invalid qos specs: Valid consumer of QoS specs are: ['front-end', 'back-end', 'both']")
        }
        return consumer
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "create")
        var members = try BodySchema(blank: [:], [.required("qos_specs", \.self, Self.values)])
            .read(try await call.json(), wording: Cinder.body)
        let name = String((members.removeValue(forKey: "name") ?? "").trimmingBlanks)
        guard !name.isEmpty else {
            throw Cinder.body(BodyFailure(.missing("name"), .object(members.mapValues(JSON.string))))
        }
        let consumer = try Self.consumer(members.removeValue(forKey: "consumer")) ?? .backEnd
        let specs = QoSSpecs(
            id: .random(), name: name, consumer: consumer, specs: members, createdAt: call.now)
        let parts = parts
        try await call.write(target: { _ in specs.id.text }) { transaction in
            guard try !parts.qos.isTaken(name, in: transaction) else {
                throw APIError.conflict("QoS Specs \(name) already exists.")
            }
            try parts.qos.insert(specs, in: transaction)
        }
        return shown(specs, call)
    }

    private func change(
        _ call: APICall, _ body: @escaping @Sendable (inout QoSSpecs) throws -> Void
    ) async throws {
        let parts = parts
        try await call.write(target: { _ in call.parameter("qos_id") }) { transaction in
            var specs = try Self.find(call.parameter("qos_id"), parts, in: transaction)
            try body(&specs)
            try parts.qos.save(specs, in: transaction)
        }
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "update")
        let given = try BodySchema(blank: [:], [.required("qos_specs", \.self, Self.values)])
            .read(try await call.json(), wording: Cinder.body)
        let consumer = try Self.consumer(given["consumer"])
        try await change(call) { specs in
            if let consumer { specs.consumer = consumer }
            specs.specs.merge(given.filter { $0.key != "consumer" && $0.key != "name" }) { _, new in new }
            guard specs.specs.count <= 64 else { throw BlockStorageError.input("At most 64 specs are kept.") }
        }
        return .json(["qos_specs": .object(given.mapValues(JSON.string))])
    }

    @Sendable private func unset(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "delete")
        let keys = try BodySchema(
            blank: [], [.required("keys", \.self, .list(of: .text(1...255), most: 64, isUnique: true))]
        ).read(try await call.json(), wording: Cinder.body)
        try await change(call) { specs in
            for key in keys {
                guard specs.specs.removeValue(forKey: key) != nil else {
                    throw APIError.notFound("QoS spec \(specs.id) has no spec with key \(key).")
                }
            }
        }
        return .empty(202)
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "delete")
        let isForced = try Cinder.flag("force", call)
        let parts = parts
        try await call.write { transaction in
            let specs = try Self.find(call.parameter("qos_id"), parts, in: transaction)
            let users = try parts.types.all(in: transaction).filter { $0.qosSpecs == specs.id.cast() }
            guard users.isEmpty || isForced else { throw APIError.badRequest("Qos specs still in use.") }
            for var type in users {
                type.qosSpecs = nil
                try parts.types.save(type, in: transaction)
            }
            try parts.qos.delete(specs.id, in: transaction)
        }
        return .empty(202)
    }

    // MARK: Types

    /// - Parameter isFor: Whether the type is to have the specs from now on.
    private func associate(_ call: APICall, isFor: Bool) async throws -> APIResponse {
        try call.authorize(Self.rule + "update")
        guard let text = call.query("vol_type_id") else {
            throw APIError.badRequest("Volume Type id must not be None.")
        }
        let parts = parts
        try await call.write(target: { _ in call.parameter("qos_id") }) { transaction in
            let specs = try Self.find(call.parameter("qos_id"), parts, in: transaction)
            _ = try TypeCatalog(parts: parts).change(text, at: call.now, in: transaction) { type in
                if isFor, let other = type.qosSpecs, other != specs.id.cast() {
                    throw APIError.badRequest(
                        "Invalid volume type: Type \(type.id) is already associated with another qos specs: \(other)")
                }
                if isFor || type.qosSpecs == specs.id.cast() { type.qosSpecs = isFor ? specs.id.cast() : nil }
            }
        }
        return .empty(202)
    }

    @Sendable private func associate(_ call: APICall) async throws -> APIResponse {
        try await associate(call, isFor: true)
    }
    @Sendable private func disassociate(_ call: APICall) async throws -> APIResponse {
        try await associate(call, isFor: false)
    }

    @Sendable private func disassociateAll(_ call: APICall) async throws -> APIResponse {
        try call.authorize(Self.rule + "update")
        let parts = parts
        try await call.write(target: { _ in call.parameter("qos_id") }) { transaction in
            let specs = try Self.find(call.parameter("qos_id"), parts, in: transaction)
            for var type in try parts.types.all(in: transaction) where type.qosSpecs == specs.id.cast() {
                type.qosSpecs = nil
                try parts.types.save(type, in: transaction)
            }
        }
        return .empty(202)
    }
}

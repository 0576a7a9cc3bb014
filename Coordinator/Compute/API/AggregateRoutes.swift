import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/os-aggregates`, for administrators.
struct AggregateRoutes: Sendable {
    let parts: ComputeParts
    private var aggregates: Aggregates { Aggregates(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/os-aggregates"
        return [
            Route(.get, path, handler: list).gatedCompute(by: "os-aggregates:index"),
            Route(.post, path, action: "compute.aggregate.create", handler: create)
                .gatedCompute(by: "os-aggregates:create"),
            Route(.get, path + "/{id}", handler: show).gatedCompute(by: "os-aggregates:show"),
            Route(.put, path + "/{id}", action: "compute.aggregate.update", handler: update)
                .gatedCompute(by: "os-aggregates:update"),
            Route(.delete, path + "/{id}", action: "compute.aggregate.delete", handler: delete)
                .gatedCompute(by: "os-aggregates:delete"),
            Route(.post, path + "/{id}/action", action: "compute.aggregate.action", handler: act)
                .askingCompute("os-aggregates:add_host", "os-aggregates:remove_host", "os-aggregates:set_metadata"),
            Route(.post, path + "/{id}/images", action: "compute.aggregate.images", handler: cache)
                .gated(by: ComputePolicy.cacheImages)
        ]
    }

    /// An aggregate with the names of its hosts.
    private struct Subject: Sendable {
        var aggregate: Aggregate
        var hosts: [String]
    }

    private func subject(_ aggregate: Aggregate, in reader: any SQLReader) throws -> Subject {
        let nodes = try parts.aggregates.hosts(of: aggregate.number, in: reader)
        return Subject(
            aggregate: aggregate,
            hosts: try nodes.compactMap { try parts.directory.node($0, in: reader)?.hostname })
    }

    private static func render(_ subject: Subject, _ version: Microversion, isNew: Bool = false) -> JSON {
        let aggregate = subject.aggregate
        var out: [String: JSON] = [
            "id": JSON(aggregate.number), "name": .string(aggregate.name), "availability_zone": JSON(aggregate.zone),
            "created_at": .string(Timestamp.microsWithoutZone(aggregate.createdAt)),
            "updated_at": JSON(aggregate.updatedAt.map(Timestamp.microsWithoutZone)), "deleted": false,
            "deleted_at": .null
        ]
        if version.has(41) { out["uuid"] = .string(aggregate.id.text) }
        if !isNew {
            out["hosts"] = .array(subject.hosts.map(JSON.string))
            out["metadata"] = .object(aggregate.metadata.mapValues(JSON.string))
        }
        return .object(out)
    }

    private static func number(_ call: APICall) throws -> Int64 {
        let id = call.parameter("id")
        guard let number = Int64(id), number > 0, number <= Int64(Int32.max) else {
            guard Int64(id) == nil else { throw APIError.notFound("Aggregate \(id) could not be found.") }
            throw APIError.badRequest("Invalid input received: id must be an integer")
        }
        return number
    }

    // MARK: Calls

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let found = try await call.database.read { reader in
            let hosts = try parts.aggregates.hosts(in: reader)
            let names = Dictionary(
                try parts.directory.nodes(in: reader).map { ($0.id, $0.hostname) },
                uniquingKeysWith: { first, _ in first })
            return try parts.aggregates.all(in: reader).map { aggregate in
                Subject(aggregate: aggregate, hosts: (hosts[aggregate.number] ?? []).compactMap { names[$0] })
            }
        }
        return .json(["aggregates": .array(found.map { Self.render($0, call.microversion) })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let number = try Self.number(call)
        let found = try await call.database.read { reader in
            try subject(try aggregates.find(number, in: reader), in: reader)
        }
        return .json(["aggregate": Self.render(found, call.microversion)])
    }

    private struct Draft: Sendable {
        var name: String?
        /// `.some(nil)` takes it away.
        var zone: String??

        private static let zone = BodyFormat<String>.text(1...255, .zoneName).nullable
        static let creation = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, CreateServerForm.name.map { name, _ in String?(name) }),
                .optional("availability_zone", \.zone, zone)
            ])
        static let change = BodySchema(
            blank: Draft(),
            [
                .optional("name", \.name, CreateServerForm.name), .optional("availability_zone", \.zone, zone)
            ])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let draft = try Draft.creation.read(
            try await call.json(), under: "aggregate", call.microversion, wording: Nova.body)
        var aggregate = Aggregate(id: .random(), name: draft.name ?? "", createdAt: call.now)
        if let zone = draft.zone ?? nil { aggregate.metadata[Aggregate.zoneKey] = zone }
        let (aggregates, made) = (aggregates, aggregate)
        let stored = try await call.write(target: { String($0.number) }) { try aggregates.create(made, in: $0) }
        return .json([
            "aggregate": Self.render(Subject(aggregate: stored, hosts: []), call.microversion, isNew: true)
        ])
    }

    private func write(
        _ call: APICall, _ change: @escaping @Sendable (Aggregates, Int64, any SQLTransaction) throws -> Aggregate
    ) async throws -> APIResponse {
        let number = try Self.number(call)
        let changed = try await call.write { transaction in
            try subject(try change(aggregates, number, transaction), in: transaction)
        }
        return .json(["aggregate": Self.render(changed, call.microversion)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let draft = try Draft.change.read(body, under: "aggregate", call.microversion, wording: Nova.body)
        guard draft.name != nil || draft.zone != nil else {
            throw APIError.badRequest(
                "Invalid input for field/attribute aggregate. Value: {}. {} is not valid under any of the given schemas"
            )
        }
        return try await write(call) {
            try $0.update($1, name: draft.name, zone: draft.zone, at: call.now, in: $2)
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let number = try Self.number(call)
        let aggregates = aggregates
        try await call.write { try aggregates.delete(number, in: $0) }
        return .empty(200)
    }

    // MARK: Actions

    private static let host = BodySchema(
        blank: "", [.required("host", \.self, .text(1...255, .hostAddress))]
    ).format()
    private static let metadata = BodySchema<[String: String?]>(
        blank: [:],
        [
            .required(
                "metadata", \.self,
                .map(keys: .key, values: BodyFormat<String>.text(0...255).nullable, most: CreateServerForm.mostMetadata)
            )
        ]
    ).format()

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let names = body.objectValue?.keys.sorted() ?? []
        guard let name = names.first(where: { ["add_host", "remove_host", "set_metadata"].contains($0) }) else {
            throw APIError.badRequest(
                names.first.map { "There is no such action: \($0)" } ?? "Malformed request body")
        }
        try call.authorizeCompute("os-aggregates:\(name)")
        let argument = try BodySchema(blank: JSON.null, [.required(name, \.self, .any)])
            .read(body, wording: Nova.body)
        if name == "set_metadata" {
            let changes = try Nova.read(argument, Self.metadata, under: name)
            return try await write(call) { try $0.setMetadata($1, changes, at: call.now, in: $2) }
        }
        let host = try Nova.read(argument, Self.host, under: name)
        return try await write(call) { aggregates, number, transaction in
            try name == "add_host"
                ? aggregates.add(host, to: number, at: call.now, in: transaction)
                : aggregates.remove(host, from: number, at: call.now, in: transaction)
        }
    }

    /// Hosts fetch an image when they first need it, from the coordinator or from a neighbour, and in no other way.
    @Sendable private func cache(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(call.microversion.has(81))
        let number = try Self.number(call)
        _ = try await call.database.read { try aggregates.find(number, in: $0) }
        throw APIError.badRequest(
            "Images cannot be brought to hosts ahead of their servers here: each host fetches an image once, when the "
                + "first server needs it.")
    }
}

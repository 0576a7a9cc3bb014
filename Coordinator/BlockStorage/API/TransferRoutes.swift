import CoordinatorPlatform
import ProtocolModel

/// `/os-volume-transfer`, and `/volume-transfers` from 3.55 on.
struct TransferRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] { ["/os-volume-transfer", "/volume-transfers"].flatMap(routes) }

    private func routes(_ base: String) -> [Route] {
        let least = base == "/volume-transfers" ? 55 : 0
        /// A handler that is there from a version on.
        func since(
            _ handler: @escaping @Sendable (APICall) async throws -> APIResponse
        ) -> @Sendable (APICall) async throws -> APIResponse {
            { call in
                try call.requireVersion(least)
                return try await handler(call)
            }
        }
        return [
            Route.volume(.get, base, handler: since { try await list($0, base, isDetail: false) })
                .gated(by: "volume:get_all_transfers"),
            Route.volume(.get, base + "/detail", handler: since { try await list($0, base, isDetail: true) })
                .gated(by: "volume:get_all_transfers"),
            Route.volume(.post, base, action: "volume.transfer.create", handler: since { try await create($0, base) })
                .asking("volume:create_transfer"),
            Route.volume(.get, base + "/{id}", handler: since { try await show($0, base) })
                .asking("volume:get_transfer"),
            Route.volume(.delete, base + "/{id}", action: "volume.transfer.delete", handler: since(delete))
                .asking("volume:delete_transfer"),
            Route.volume(
                .post, base + "/{id}/accept", action: "volume.transfer.accept",
                handler: since { try await accept($0, base) }
            )
            .asking("volume:accept_transfer")
        ]
    }

    // MARK: Views

    private func basic(_ transfer: VolumeTransfer, _ call: APICall, _ base: String) -> [String: JSON] {
        [
            "id": .string(transfer.id.text), "name": JSON(transfer.name),
            "volume_id": .string(transfer.volume.text), "links": call.volumeLinks("volume-transfers/\(transfer.id)")
        ]
    }

    private func detail(
        _ transfer: VolumeTransfer, _ call: APICall, _ base: String, isMade: Bool = false
    ) -> [String: JSON] {
        var out = basic(transfer, call, base)
        out["created_at"] = volumeTime(transfer.createdAt)
        if call.microversion.has(55) { out["no_snapshots"] = .bool(transfer.leavesSnapshots) }
        if call.microversion.has(57) {
            out["source_project_id"] = .string(transfer.project.compact)
            out["destination_project_id"] = .null
            out["accepted"] = false
        }
        return out
    }

    // MARK: Calls

    private func list(_ call: APICall, _ base: String, isDetail: Bool) async throws -> APIResponse {
        var dialect = Cinder.list(
            most: parts.settings.pageLimit, refuses: false,
            path: String(base.dropFirst()) + (isDetail ? "/detail" : ""))
        if !call.microversion.has(59) { dialect.directions = .lastRepeats(isAscending: true) }
        let query = try dialect.read(
            try Cinder.parameters(call), isFilter: BlockStorageLists.transfers.isFilter,
            isSort: BlockStorageLists.transfers.isSort)
        let (visible, offset) = (try VolumeListQuery.scope(of: call).every, try Cinder.offset(call))
        let (dialectOfList, store) = (dialect, parts.transfers)
        let found = try await call.database.read { reader in
            try dialectOfList.found { try store.list(query, visible: visible, skipping: offset, in: reader) }
        }
        let items = found.map { JSON.object(isDetail ? detail($0, call, base) : basic($0, call, base)) }
        return dialect.answer(
            ListPage(collection: "transfers", identities: found.map(\.id.text), query: query), items, call)
    }

    private func show(_ call: APICall, _ base: String) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = TransferCommands(parts: parts)
        let transfer = try await call.database.read { reader in
            try commands.find(call.parameter("id"), asking: "volume:get_transfer", by: origin, in: reader)
        }
        return .json(["transfer": .object(detail(transfer, call, base))])
    }

    private struct Draft: Sendable {
        var volume = ""
        var name: String?
        var leavesSnapshots = false

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("volume_id", \.volume, .text(0...255, .uuid)),
                .given("name", \.name, CreateVolumeBody.name),
                .given("no_snapshots", \.leavesSnapshots, Cinder.flag, since: 55)
            ])
    }

    private func create(_ call: APICall, _ base: String) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let draft = try Draft.schema.read(
            try await call.json(), under: "transfer", call.microversion, wording: Cinder.body)
        let commands = TransferCommands(parts: parts)
        let (transfer, key) = try await call.write(target: { $0.0.id.text }) { transaction in
            try commands.offer(
                draft.volume, name: draft.name, leavesSnapshots: draft.leavesSnapshots, origin: origin,
                in: transaction)
        }
        var out = detail(transfer, call, base)
        out["auth_key"] = .string(key)
        return .json(["transfer": .object(out)], status: 202)
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = TransferCommands(parts: parts)
        try await call.write { try commands.withdraw(call.parameter("id"), origin: origin, in: $0) }
        return .empty(202)
    }

    private static let key = BodySchema(
        blank: "",
        [
            .required(
                "auth_key", \.self,
                .either([.text(0...255), BodyFormat<Int>.integer().map { number, _ in String(number) }]))
        ])

    private func accept(_ call: APICall, _ base: String) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let key = try Self.key.read(try await call.json(), under: "accept", wording: Cinder.body)
        let commands = TransferCommands(parts: parts)
        let transfer = try await call.write(target: { $0.id.text }) { transaction in
            try commands.accept(call.parameter("id"), key: key, origin: origin, in: transaction)
        }
        return .json(["transfer": .object(basic(transfer, call, base))], status: 202)
    }
}
